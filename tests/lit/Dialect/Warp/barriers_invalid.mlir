// A named barrier's count must be the threads that come to it, and each barrier has one purpose.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @too_many(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    // expected-note@+1 {{the role has 256 threads, which wait there}}
    warp.role consumer warpgroups 2 registers 240 {
      // expected-error@+1 {{waits for 384 threads at barrier 3, but 256 come to it; count the threads of every role that syncs or arrives there}}
      warp.named_barrier_sync 3 threads 384
    }
  }
  warp.return
}

// -----

warp.func @too_few(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    // expected-note@+1 {{the role has 128 threads, which arrive there}}
    warp.role producer warpgroups 1 registers 24 {
      warp.named_barrier_arrive 3 threads 256
    }
    // expected-note@+1 {{the role has 256 threads, which wait there}}
    warp.role consumer warpgroups 2 registers 240 {
      // expected-error@+1 {{waits for 256 threads at barrier 3, but 384 come to it; count the threads of every role that syncs or arrives there}}
      warp.named_barrier_sync 3 threads 256
    }
  }
  warp.return
}

// -----

warp.func @two_counts(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@+1 {{the other place is here}}
      warp.named_barrier_arrive 3 threads 384
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-error@+1 {{counts 256 threads at barrier 3, another place counts 384}}
      warp.named_barrier_sync 3 threads 256
    }
  }
  warp.return
}

// -----

warp.func @nobody_waits(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{arrives at barrier 3, where nobody waits (warp.named_barrier_sync)}}
      warp.named_barrier_arrive 3 threads 128
    }
    warp.role consumer warpgroups 2 registers 240 {
    }
  }
  warp.return
}

// -----

warp.func @more_often(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        // expected-error@+1 {{cannot be shown to come to barrier 3 as often as the others; give both sides the same loops around it}}
        warp.named_barrier_arrive 3 threads 384
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      // expected-note@+1 {{they wait here}}
      warp.named_barrier_sync 3 threads 384
    }
  }
  warp.return
}

// -----

warp.func @reduction_and_barrier(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      // expected-note@+1 {{used here}}
      %a = warp.block_reduce add %x barrier 5 : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{needs barrier 5 for named barrier ops, but it serves reductions already; take another}}
      warp.named_barrier_sync 5 threads 256
    }
  }
  warp.return
}

// -----

// Three warpgroups take turns at barriers 2, 3 and 4.
warp.func @turns_and_barrier(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 32 {
    }
    warp.role consumer warpgroups 3 registers 160 {
      // expected-note@+1 {{used here}}
      warp.turn_wait
      warp.turn_pass
      // expected-error@+1 {{needs barrier 4 for named barrier ops, but it serves turns already; take another}}
      warp.named_barrier_sync 4 threads 384
    }
  }
  warp.return
}

// -----

warp.func @turns_and_reduction(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      // expected-note@+1 {{used here}}
      %a = warp.block_reduce add %x barrier 2 : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{needs barrier 2 for turns, but it serves reductions already; take another}}
      warp.turn_wait
      warp.turn_pass
    }
  }
  warp.return
}

// -----

warp.func @reduction_barrier(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{named barriers are 1 to 15, got 0}}
      %a = warp.block_reduce add %x barrier 0 : tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @reduction_barrier_16(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{named barriers are 1 to 15, got 16}}
      %a = warp.block_reduce add %x barrier 16 : tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @reduction_by_the_producer(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    // expected-note@+1 {{it stands in the producer role}}
    warp.role producer warpgroups 1 registers 24 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{a reduction over all consumers belongs to the consumer role}}
      %a = warp.block_reduce add %x barrier 1 : tensor<64x1xf32, #warp.row>
    }
    warp.role consumer warpgroups 2 registers 240 {
    }
  }
  warp.return
}

// -----

warp.func @outside_the_roles() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{stands outside the roles, where no thread knows who else comes}}
  warp.named_barrier_sync 1 threads 384
  warp.return
}
