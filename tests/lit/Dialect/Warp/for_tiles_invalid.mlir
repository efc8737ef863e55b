// Every refusal of warp.for_tiles.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @two_coordinates() attributes {dims = ["N"], grid = ["N"]} {
  // expected-error@+1 {{names three coordinates, got 2}}
  warp.for_tiles(%x, %y) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.return
}

// -----

warp.func @arguments() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{has three coordinates and 1 carried values, but its body takes 3}}
  "warp.for_tiles"(%c0) ({
  ^bb0(%x: i32, %y: i32, %z: i32):
    warp.next_tile
  }) : (i32) -> ()
  warp.return
}

// -----

warp.func @argument_type() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{carries i32 values, got 'i64'}}
  "warp.for_tiles"(%c0) ({
  ^bb0(%x: i32, %y: i32, %z: i32, %n: i64):
    warp.next_tile %x : i32
  }) : (i32) -> ()
  warp.return
}

// -----

warp.func @yielded() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{carries 1 values, but warp.next_tile yields 2}}
  warp.for_tiles(%x, %y, %z) carry(%n = %c0) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
    warp.next_tile %n, %n : i32, i32
  }
  warp.return
}

// -----

warp.func @no_roles() attributes {dims = ["N"], grid = ["N"]} {
  // expected-error@+1 {{needs one warp.roles in its body}}
  warp.for_tiles(%x, %y, %z) {
  }
  warp.return
}

// -----

warp.func @twice() attributes {dims = ["N"], grid = ["N"]} {
  // expected-error@+1 {{must be the only warp.for_tiles of a kernel, and hold its warp.roles}}
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.return
}

// -----

warp.func @roles_beside() attributes {dims = ["N"], grid = ["N"]} {
  // expected-error@+1 {{must be the only warp.for_tiles of a kernel, and hold its warp.roles}}
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}
