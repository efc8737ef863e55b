// A named barrier's count must be the threads that come to it.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: warp.func @all_come
warp.func @all_come() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      warp.named_barrier_sync 1 threads 256
    }
  }
  warp.return
}

// CHECK-LABEL: warp.func @others_arrive
warp.func @others_arrive() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      warp.named_barrier_arrive 2 threads 384
    }
    warp.role consumer warpgroups 2 registers 240 {
      warp.named_barrier_sync 2 threads 384
    }
  }
  warp.return
}

// -----

warp.func @too_many() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    // expected-note@+1 {{the role has 2 warpgroups}}
    warp.role consumer warpgroups 2 registers 240 {
      // expected-error@+1 {{waits for 384 threads at barrier 3, but 256 come to it and nobody arrives there otherwise}}
      warp.named_barrier_sync 3 threads 384
    }
  }
  warp.return
}
