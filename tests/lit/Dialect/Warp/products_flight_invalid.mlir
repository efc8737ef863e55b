// Every refusal of a product that is in flight where it must not be: uses, groups, waits and slots.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @in_flight(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{issued here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-error@+1 {{uses an accumulator that a wgmma is still writing}}
      %t = builtin.unrealized_conversion_cast %d : !flying to !acc
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>

warp.func @yielded(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %f = scf.if %p -> (!flying) {
        // expected-note@+1 {{issued here; wait for it first (warp.wgmma_wait)}}
        %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g = warp.wgmma_commit
        // expected-error@+1 {{uses an accumulator that a wgmma is still writing}}
        scf.yield %d : !flying
      } else {
        %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g = warp.wgmma_commit
        scf.yield %d : !flying
      }
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @group_yielded(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %f = scf.if %p -> (!warp.group) {
        %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        // expected-note@+1 {{issued here; wait for it first (warp.wgmma_wait)}}
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %d : !flying -> !acc
        // expected-error@+1 {{uses a group of products that may be running}}
        scf.yield %g : !warp.group
      } else {
        %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %d : !flying -> !acc
        scf.yield %g : !warp.group
      }
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @two_places(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-error@+1 {{is in flight and must go to one product or wait, found 2 uses}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %e = warp.wgmma_ss %s, %s acc %d : !flying : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %w:2 = warp.wgmma_wait %g, %d, %e : !flying, !flying -> !acc, !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>

warp.func @nowhere(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-error@+1 {{is in flight and must go to one product or wait, found 0 uses}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @waited_for_elsewhere(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{it stands here; issue, commit and wait belong to one block}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        // expected-error@+1 {{waits for a group that was committed in another block}}
        %w = warp.wgmma_wait %g, %d : !flying -> !acc
      }
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @accumulated_elsewhere(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{it stands here; issue, commit and wait belong to one block}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        // expected-error@+1 {{accumulates onto a product that was issued in another block}}
        %e = warp.wgmma_ss %s, %s acc %d : !flying : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %w = warp.wgmma_wait %g2, %e : !flying -> !acc
      }
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @no_wait(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-error@+1 {{closes a group that nobody waits for; add a warp.wgmma_wait}}
      %g = warp.wgmma_commit
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g2 = warp.wgmma_commit
      %w:2 = warp.wgmma_wait %g2, %d, %e : !flying, !flying -> !acc, !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @no_commit(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %g = warp.wgmma_commit
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-note@-1 {{issued here; commit it first (warp.wgmma_commit)}}
      // expected-error@+1 {{would not wait for a product that no group holds yet}}
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @no_group(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %h = builtin.unrealized_conversion_cast %n : i32 to !warp.group
      // expected-error@+1 {{waits for a group that no warp.wgmma_commit of its block closed}}
      %w = warp.wgmma_wait %h, %d : !flying -> !acc
      %u = warp.wgmma_wait %g, %e : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @later_group(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-note@+1 {{wait for the group that is closed here}}
      %g2 = warp.wgmma_commit
      // expected-error@+1 {{hands over a product of a later group, which may still be running}}
      %u = warp.wgmma_wait %g, %e : !flying -> !acc
      %w = warp.wgmma_wait %g2, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

// The commit inside would take the product outside with it.
warp.func @products_inside(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{issued here; commit it first (warp.wgmma_commit)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-error@+1 {{holds products, but one before it is not committed yet}}
      scf.if %p {
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      }
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @released_in_flight(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{read by this product; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-error@+1 {{hands back a slot that a product in flight may be reading}}
      warp.ring_release %s : !slot
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>

warp.func @released_after_another_wait(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-note@+1 {{read by this product; wait for it first (warp.wgmma_wait)}}
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g2 = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      // expected-error@+1 {{hands back a slot that a product in flight may be reading}}
      warp.ring_release %s : !slot
      %u = warp.wgmma_wait %g2, %e : !flying -> !acc
    }
  }
  warp.return
}
