// Every refusal of a ring that a list drives and whose two sides may run differently often.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>
!list = !warp.list<64, 64>

warp.func @lists(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  %l2 = warp.list_open %q[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l2 : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
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
!list = !warp.list<64, 64>

warp.func @list_and_none(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{emptied here}}
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>
!list = !warp.list<64, 64>

warp.func @forgotten_first_step(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c1 to %n step %c1 : i32 {
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
!list = !warp.list<64, 64>

// An empty list has no first step: the one in front needs a condition.
warp.func @empty_list(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{emptied here}}
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
      %n = warp.list_count %l : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c1 to %n step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
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
!list = !warp.list<64, 64>

warp.func @gap(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      %m = warp.list_masked %l : !list
      %m1 = arith.addi %m, %c1 : i32
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %m step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %m1 to %n step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
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
!list = !warp.list<64, 64>

// Two loops are one only where the cut lies between its bounds.
warp.func @cut_anywhere(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %a to %n step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
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
!list = !warp.list<64, 64>

// Without a masked step the second loop starts again at the step that was taken in front.
warp.func @split_behind_a_step(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      %some = arith.cmpi slt, %c0, %n : i32
      scf.if %some {
        // expected-note@+1 {{emptied here}}
        %s = warp.ring_wait %r[%c0] : !ring -> !slot
        warp.ring_release %s : !slot
        %m = warp.list_masked %l : !list
        // expected-note@+1 {{emptied by this loop}}
        scf.for %i = %c1 to %m step %c1 : i32 {
          %t = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %t : !slot
        }
        // expected-note@+1 {{emptied by this loop}}
        scf.for %i = %m to %n step %c1 : i32 {
          %u = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %u : !slot
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
!list = !warp.list<64, 64>

warp.func @other_bands(%x: !view, %a: i32, %b: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often, and would hang where it is not; give both sides loops over the same list, or with the same bounds}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_bands (%c0 to %a all %c0 to %b) limit %a : !list
  %l2 = warp.list_bands (%c0 to %b all %c0 to %b) limit %a : !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l2 : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}
