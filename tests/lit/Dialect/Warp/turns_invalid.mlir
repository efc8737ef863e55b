// Every refusal of warp.turn_wait and warp.turn_pass: turns are taken and passed by turns.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @two_turns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-note@+1 {{taken here}}
      warp.turn_wait
      // expected-error@+1 {{takes a turn while it still has one; pass it first (warp.turn_pass)}}
      warp.turn_wait
    }
  }
  warp.return
}

// -----

warp.func @no_turn(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-error@+1 {{passes a turn that it did not take in this block (warp.turn_wait)}}
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @passed_twice(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      warp.turn_wait
      warp.turn_pass
      // expected-error@+1 {{passes a turn that it did not take in this block (warp.turn_wait)}}
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @never_passed(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        // expected-error@+1 {{takes a turn that its block does not pass on; add a warp.turn_pass}}
        warp.turn_wait
      }
    }
  }
  warp.return
}

// -----

warp.func @turns_inside(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-note@+1 {{taken here}}
      warp.turn_wait
      // expected-error@+1 {{takes turns inside while it still has one; pass it first (warp.turn_pass)}}
      scf.for %i = %c0 to %n step %c1 : i32 {
        warp.turn_wait
        warp.turn_pass
      }
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @reduction_in_turn(%n: i32) attributes {dims = [], grid = ["1"]} {
  %p = arith.constant true
  %x = arith.constant dense<1.0> : tensor<64x64xf32, #warp.acc>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-note@+1 {{taken here}}
      warp.turn_wait
      scf.if %p {
        // expected-error@+1 {{waits for other warpgroups, which may wait for this one's turn; pass it first (warp.turn_pass)}}
        %r = warp.block_reduce max %x barrier 1 : tensor<64x64xf32, #warp.acc>
      }
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @barrier_in_turn(%n: i32) attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-note@+1 {{taken here}}
      warp.turn_wait
      // expected-error@+1 {{waits for other warpgroups, which may wait for this one's turn; pass it first (warp.turn_pass)}}
      warp.named_barrier_sync 5 threads 256
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @one_warpgroup(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{needs a role of two or three warpgroups, this one has 1}}
      warp.turn_wait
    }
  }
  warp.return
}

// -----

warp.func @one_warpgroup_passes(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{needs a role of two or three warpgroups, this one has 1}}
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @producer(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    // expected-note@+1 {{it stands in the producer role}}
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{a turn belongs to the consumer role}}
      warp.turn_pass
    }
    warp.role consumer warpgroups 2 registers 240 {
    }
  }
  warp.return
}

// -----

warp.func @outside_the_roles(%p: i1) attributes {dims = [], grid = ["1"]} {
  scf.if %p {
    // expected-error@+1 {{stands outside the roles, where no thread knows who else comes}}
    warp.turn_wait
    warp.turn_pass
  }
  warp.return
}
