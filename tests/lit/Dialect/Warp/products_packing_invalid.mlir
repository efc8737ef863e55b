// Every refusal of an A operand that is made while a wgmma is in flight.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

warp.func @packing(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
      %a = warp.pack_afrag %half : !half -> !fragment
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

warp.func @packing_before_the_commit(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
      %a = warp.pack_afrag %half : !half -> !fragment
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

// The wait for a group leaves later ones running.
warp.func @packing_beside_a_later_group(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g2 = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
      %a = warp.pack_afrag %half : !half -> !fragment
      %u = warp.wgmma_wait %g2, %e : !flying -> !acc
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

warp.func @packing_under_a_condition(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
        %a = warp.pack_afrag %half : !half -> !fragment
      }
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

// In the first trip, what was issued before the loop is in flight.
warp.func @packing_in_a_loop(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.for %i = %c0 to %n step %c1 : i32 {
        // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
        %a = warp.pack_afrag %half : !half -> !fragment
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      }
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

// The loop may run no trip, and wait for nothing.
warp.func @packing_behind_a_loop(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.for %i = %c0 to %n step %c1 : i32 {
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      }
      // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
      %a = warp.pack_afrag %half : !half -> !fragment
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

warp.func @packing_behind_a_condition(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      } else {
      }
      // expected-error@+1 {{packs an A operand while a wgmma is in flight, which serialises all products}}
      %a = warp.pack_afrag %half : !half -> !fragment
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

warp.func @computed_operand(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %a = warp.pack_afrag %half : !half -> !fragment
      %b = warp.pack_afrag %half : !half -> !fragment
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-error@+1 {{computes an A operand while a wgmma is in flight, which serialises all products}}
      %c = arith.addf %a, %b : !fragment
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
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

// What is packed is in the registers of the operand already.
warp.func @rounded_operand(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
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
      %one = arith.constant dense<1.0> : !acc
      // expected-note@+1 {{in flight since here; wait for it first (warp.wgmma_wait)}}
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      // expected-error@+1 {{computes an A operand while a wgmma is in flight, which serialises all products}}
      %h = arith.truncf %one : !acc to !half
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      %a = warp.pack_afrag %h : !half -> !fragment
      warp.ring_release %s : !slot
    }
  }
  warp.return
}
