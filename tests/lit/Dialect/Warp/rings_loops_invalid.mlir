// Every refusal of a ring whose two sides may run differently often, where no list drives them.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @bounds(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %b step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @steps(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %a step %c2 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @outer_loop(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %j = %c0 to %b step %c1 : i32 {
        // expected-note@+1 {{emptied by this loop}}
        scf.for %i = %c0 to %a step %c1 : i32 {
          %s = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %s : !slot
        }
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @condition(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %even = arith.cmpi eq, %i, %b : i32
        scf.if %even {
          %s = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %s : !slot
        }
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

// Every warpgroup hands every slot back.
warp.func @warpgroups(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %w = warp.warpgroup
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %w to %a step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @carried_bounds(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %a step %c1 iter_args(%n = %b) -> (i32) : i32 {
        // expected-note@+1 {{filled by this loop}}
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_acquire %r[%j] : !ring -> !slot
          warp.ring_fill %s bytes 8192 : !slot {
            warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
          }
        }
        %next = arith.addi %n, %c1 : i32
        scf.yield %next : i32
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %i = %c0 to %a step %c1 iter_args(%n = %b) -> (i32) : i32 {
        // expected-note@+1 {{emptied by this loop}}
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_wait %r[%j] : !ring -> !slot
          warp.ring_release %s : !slot
        }
        %next = arith.addi %n, %i : i32
        scf.yield %next : i32
      }
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @other_construct(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{filled here}}
      %s = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %s bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %r0 = scf.while (%i = %a) : (i32) -> i32 {
        %more = arith.cmpi slt, %i, %b : i32
        scf.condition(%more) %i : i32
      } do {
      ^bb0(%i: i32):
        // expected-note@+1 {{emptied here}}
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
        scf.yield %i : i32
      }
    }
  }
  warp.return
}
