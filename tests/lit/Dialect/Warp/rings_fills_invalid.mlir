// Every refusal of a ring that is used where it cannot be, or whose fills are not told apart.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>

warp.func @same_fill(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{the loop is here}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        // expected-error@+1 {{names the same fill in every trip of its loop; count the fills with a value that the loop carries}}
        %s = warp.ring_acquire %r[%b] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %i = %c0 to %a step %c1 : i32 {
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

warp.func @same_wait(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %a step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{the loop is here}}
      scf.for %i = %c0 to %a step %c1 : i32 {
        %first = arith.constant 0 : i32
        // expected-error@+1 {{names the same fill in every trip of its loop; count the fills with a value that the loop carries}}
        %s = warp.ring_wait %r[%first] : !ring -> !slot
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

warp.func @same_fill_in_every_program(%x: !view) attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !ring
  // expected-note@+1 {{the loop is here}}
  warp.for_tiles(%px, %py, %pz) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
        // expected-error@+1 {{names the same fill in every trip of its loop; count the fills with a value that the loop carries}}
        %s = warp.ring_acquire %r[%c0] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
      warp.role consumer warpgroups 1 registers 232 {
        %s = warp.ring_wait %r[%c0] : !ring -> !slot
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

warp.func @handed_on(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %s bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
      // expected-error@+1 {{takes ring 'k', which only warp.ring_acquire and warp.ring_wait can}}
      %other = builtin.unrealized_conversion_cast %r : !ring to !ring
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>

warp.func @outside_the_roles(%x: !view) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !ring
  // expected-error@+1 {{stands outside the roles; filling belongs to the producer, waiting to the consumer}}
  %s = warp.ring_acquire %r[%c0] : !ring -> !slot
  warp.ring_fill %s bytes 8192 : !slot {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
  }
  %t = warp.ring_wait %r[%c0] : !ring -> !slot
  warp.ring_release %t : !slot
  warp.return
}
