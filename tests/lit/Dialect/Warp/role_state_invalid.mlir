// Every refusal of a role that keeps values from program to program, and of rings around programs.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @kind() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{a role is producer or consumer, got 'worker'}}
      warp.role worker warpgroups 1 registers 232 {
      }
    }
  }
  warp.return
}

// -----

warp.func @values() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{'warp.role' op keeps 'i32' from program to program, but enter gives 'f32'}}
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c1 : f32
      } each(%a: i32) {
        warp.role_yield %a : i32
      } leave(%a: i32) {
      }
    }
  }
  warp.return
}

// -----

warp.func @handed_on() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{'warp.role' op keeps 'i32' from program to program, but the body hands on }}
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c0 : i32
      } each(%a: i32) {
      } leave(%a: i32) {
      }
    }
  }
  warp.return
}

// -----

warp.func @leave_takes() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{'warp.role' op keeps 'i32' from program to program, but leave takes }}
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c0 : i32
      } each(%a: i32) {
        warp.role_yield %a : i32
      } leave {
      }
    }
  }
  warp.return
}

// -----

warp.func @leave_yields() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{leave has nothing to hand values to; end it without warp.role_yield}}
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c0 : i32
      } each(%a: i32) {
        warp.role_yield %a : i32
      } leave(%a: i32) {
        warp.role_yield %a : i32
      }
    }
  }
  warp.return
}

// -----

warp.func @no_enter() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{keeps values from program to program, but no enter gives the first ones}}
      warp.role consumer warpgroups 1 registers 232 {
        warp.role_yield %c0 : i32
      }
    }
  }
  warp.return
}

// -----

warp.func @one_program() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{has enter and leave, but runs one program; only roles in a warp.for_tiles have them}}
      warp.role consumer warpgroups 1 registers 232 enter {
      } each {
      } leave {
      }
    }
  warp.return
}

// -----

warp.func @enter_uses() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    // expected-note@+1 {{computed for each program here}}
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 enter {
        // expected-error@+1 {{uses a value of one program, but runs before the first; keep the value in the role (warp.role_yield)}}
        warp.role_yield %v : i32
      } each(%a: i32) {
        warp.role_yield %v : i32
      } leave(%a: i32) {
      }
    }
  }
  warp.return
}

// -----

warp.func @leave_uses() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1.0 : f32
  warp.for_tiles(%x, %y, %z) {
    // expected-note@+1 {{computed for each program here}}
    %v = arith.addi %x, %y : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 enter {
      } each {
      } leave {
        // expected-error@+1 {{uses a value of one program, but runs after the last; keep the value in the role (warp.role_yield)}}
        %w = arith.addi %v, %c0 : i32
      }
    }
  }
  warp.return
}

// -----

warp.func @enter_alone() attributes {dims = ["N"], grid = ["N"]} {
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{has enter without leave; give both, or neither}}
      "warp.role"() <{kind = #warp<role_kind consumer>, registers = 232 : i64, warpgroups = 1 : i64}> ({
      ^bb0:
      }, {
      ^bb0:
      }, {
      }) : () -> ()
    }
  }
  warp.return
}

// -----

warp.func @enter_takes() attributes {dims = ["N"], grid = ["N"]} {
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      // expected-error@+1 {{enter takes no values, got 1}}
      "warp.role"() <{kind = #warp<role_kind consumer>, registers = 232 : i64, warpgroups = 1 : i64}> ({
      ^bb0:
      }, {
      ^bb0(%a: i32):
      }, {
      ^bb0:
      }) : () -> ()
    }
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>

// A fill before the first program that nobody waits for.
warp.func @never_taken(%x: !view) attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often}}
  %r = warp.ring_create "k" : !ring
  warp.for_tiles(%px, %py, %pz) carry(%n = %c0) {
    %next = arith.addi %n, %c1 : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 enter {
        // expected-note@+1 {{filled here}}
        %s = warp.ring_acquire %r[%c0] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      } each {
        // expected-note@+1 {{filled here}}
        %s = warp.ring_acquire %r[%next] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%px, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      } leave {
      }
      warp.role consumer warpgroups 1 registers 232 {
        // expected-note@+1 {{emptied here}}
        %s = warp.ring_wait %r[%next] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
    warp.next_tile %next : i32
  }
  warp.return
}

// -----

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!list = !warp.list<64, 64>

// A step in front of the loop, of bands that may meet nothing.
warp.func @perhaps_empty(%x: !view, %end: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // expected-error@+1 {{'k' cannot be shown to be filled and emptied equally often}}
  %r = warp.ring_create "k" : !ring
  %l = warp.list_bands (%c0 to %end all %c0 to %end) limit %c1 : !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %count = warp.list_count %l : !list
      // expected-note@+1 {{filled by this loop}}
      scf.for %i = %c0 to %count step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %padded = warp.list_padded %l : !list
      // expected-note@+1 {{emptied here}}
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
      %masked = warp.list_masked %l : !list
      %middle = arith.maxsi %masked, %c1 : i32
      %count = warp.list_count %l : !list
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %c1 to %middle step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
      // expected-note@+1 {{emptied by this loop}}
      scf.for %i = %middle to %count step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
    }
  }
  warp.return
}
