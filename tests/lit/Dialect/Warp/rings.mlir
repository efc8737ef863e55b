// Rings whose two sides run equally often, in every form that the passes write.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!blocks = !tile.blocks<64, 64, [1, 1]>
!list = !warp.list<64, 64>

// Each role asks the list itself.
// CHECK-LABEL: warp.func @one_list(
warp.func @one_list(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// The same row from bands; what is computed alike twice is one list.
// CHECK-LABEL: warp.func @bands(
warp.func @bands(%x: !view, %a: i32, %b: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_bands (%c0 to %a all %c0 to %b) limit %a : !list
  %same = warp.list_bands (%c0 to %a all %c0 to %b) limit %a : !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %m = warp.list_masked %same : !list
      %n = warp.list_count %same : !list
      scf.for %i = %c0 to %m step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
      scf.for %i = %m to %n step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// A step in front and the others in a loop; the other ring trails by a step and ends behind the loop.
// CHECK-LABEL: warp.func @overlapped(
warp.func @overlapped(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  %v = warp.ring_create "v" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
        %t = warp.ring_acquire %v[%i] : !ring -> !slot
        warp.ring_fill %t bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      %some = arith.cmpi slt, %c0, %n : i32
      scf.if %some {
        %s = warp.ring_wait %r[%c0] : !ring -> !slot
        warp.ring_release %s : !slot
        %last = scf.for %i = %c1 to %n step %c1 iter_args(%m = %c0) -> (i32) : i32 {
          %u = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %u : !slot
          %t = warp.ring_wait %v[%m] : !ring -> !slot
          warp.ring_release %t : !slot
          scf.yield %i : i32
        }
        %w = warp.ring_wait %v[%last] : !ring -> !slot
        warp.ring_release %w : !slot
      }
    }
  }
  warp.return
}

// The loop behind the step in front cut in two: 1 <= max(masked, 1) <= count, since the list is not empty.
// CHECK-LABEL: warp.func @overlapped_and_split(
warp.func @overlapped_and_split(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      %some = arith.cmpi sgt, %n, %c0 : i32
      scf.if %some {
        %s = warp.ring_wait %r[%c0] : !ring -> !slot
        warp.ring_release %s : !slot
        %masked = warp.list_masked %l : !list
        %m = arith.maxsi %masked, %c1 : i32
        scf.for %i = %c1 to %m step %c1 : i32 {
          %u = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %u : !slot
        }
        scf.for %i = %m to %n step %c1 : i32 {
          %w = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %w : !slot
        }
      }
    }
  }
  warp.return
}

// A list has no more masked steps than steps.
// CHECK-LABEL: warp.func @split(
warp.func @split(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
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
      scf.for %i = %c0 to %m step %c1 : i32 {
        %u = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %u : !slot
      }
      scf.for %i = %m to %n step %c1 : i32 {
        %w = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %w : !slot
      }
    }
  }
  warp.return
}

// A condition that only keeps an empty loop from running.
// CHECK-LABEL: warp.func @guarded(
warp.func @guarded(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = warp.list_count %l : !list
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !list
      %none = arith.cmpi sge, %c0, %n : i32
      scf.if %none {
      } else {
        scf.for %i = %c0 to %n step %c1 : i32 {
          %s = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %s : !slot
        }
      }
    }
  }
  warp.return
}

// The same condition on both sides, said differently.
// CHECK-LABEL: warp.func @same_condition(
warp.func @same_condition(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %some = arith.cmpi slt, %a, %b : i32
      scf.if %some {
        %s = warp.ring_acquire %r[%c0] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %some = arith.cmpi sgt, %b, %a : i32
      scf.if %some {
        %s = warp.ring_wait %r[%c0] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// Bounds that each role computes, with another step; one step taken out in front.
// CHECK-LABEL: warp.func @dense(
warp.func @dense(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %n = arith.addi %a, %b : i32
      scf.for %i = %a to %n step %c64 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = arith.addi %b, %a : i32
      %some = arith.cmpi slt, %a, %n : i32
      scf.if %some {
        %s = warp.ring_wait %r[%a] : !ring -> !slot
        warp.ring_release %s : !slot
        %second = arith.addi %a, %c64 : i32
        scf.for %i = %second to %n step %c64 : i32 {
          %t = warp.ring_wait %r[%i] : !ring -> !slot
          warp.ring_release %t : !slot
        }
      }
    }
  }
  warp.return
}

// An inner bound that depends on the outer loop.
// CHECK-LABEL: warp.func @nested(
warp.func @nested(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %v = warp.ring_create "v" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %a step %c1 : i32 {
        %n = arith.muli %i, %b : i32
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_acquire %r[%j] : !ring -> !slot
          warp.ring_fill %s bytes 8192 : !slot {
            warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
          }
        }
        %t = warp.ring_acquire %v[%i] : !ring -> !slot
        warp.ring_fill %t bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %i = %c0 to %a step %c1 : i32 {
        %n = arith.muli %i, %b : i32
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_wait %r[%j] : !ring -> !slot
          warp.ring_release %s : !slot
        }
        %t = warp.ring_wait %v[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
    }
  }
  warp.return
}

// An inner bound that both outer loops carry, beside what only one of them does.
// CHECK-LABEL: warp.func @carried_bound(
warp.func @carried_bound(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %a step %c1 iter_args(%n = %b) -> (i32) : i32 {
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_acquire %r[%j] : !ring -> !slot
          warp.ring_fill %s bytes 8192 : !slot {
            warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
          }
        }
        %next = arith.addi %n, %i : i32
        scf.yield %next : i32
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %i = %c0 to %a step %c1 iter_args(%d = %c0, %n = %b) -> (i32, i32) : i32 {
        scf.for %j = %c0 to %n step %c1 : i32 {
          %s = warp.ring_wait %r[%j] : !ring -> !slot
          warp.ring_release %s : !slot
        }
        %next = arith.addi %n, %i : i32
        scf.yield %i, %next : i32, i32
      }
    }
  }
  warp.return
}

// Six fills are six fills.
// CHECK-LABEL: warp.func @constant(
warp.func @constant(%x: !view, %p: !blocks, %q: !blocks, %a: i32, %b: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %c6 = arith.constant 6 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %s bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
      %t = warp.ring_acquire %r[%c1] : !ring -> !slot
      warp.ring_fill %t bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
      scf.for %i = %c2 to %c6 step %c1 : i32 {
        %u = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %u bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %i = %c0 to %c6 step %c1 : i32 {
        %s = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
  }
  warp.return
}

// Program after program: the fills go on counting.
// CHECK-LABEL: warp.func @persistent(
warp.func @persistent(%x: !view, %p: !blocks) attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.for_tiles(%px, %py, %pz) carry(%fill = %c0) {
    %l = warp.list_open %p[%c0, %c0, %px] limit %c1 : !blocks -> !list
    %n = warp.list_count %l : !list
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
        scf.for %i = %c0 to %n step %c1 iter_args(%f = %fill) -> (i32) : i32 {
          %s = warp.ring_acquire %r[%f] : !ring -> !slot
          warp.ring_fill %s bytes 8192 : !slot {
            warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
          }
          %g = arith.addi %f, %c1 : i32
          scf.yield %g : i32
        }
      }
      warp.role consumer warpgroups 1 registers 232 {
        scf.for %i = %c0 to %n step %c1 iter_args(%f = %fill) -> (i32) : i32 {
          %s = warp.ring_wait %r[%f] : !ring -> !slot
          warp.ring_release %s : !slot
          %g = arith.addi %f, %c1 : i32
          scf.yield %g : i32
        }
      }
    }
    %after = arith.addi %fill, %n : i32
    warp.next_tile %after : i32
  }
  warp.return
}
