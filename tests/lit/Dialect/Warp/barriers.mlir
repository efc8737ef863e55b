// Barriers and turns that every thread they count comes to.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: warp.func @all_come(
warp.func @all_come(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      warp.named_barrier_sync 1 threads 256
    }
  }
  warp.return
}

// CHECK-LABEL: warp.func @others_arrive(
warp.func @others_arrive(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
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

// Loops may be cut differently on both sides.
// CHECK-LABEL: warp.func @as_often(
warp.func @as_often(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        warp.named_barrier_arrive 15 threads 384
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %some = arith.cmpi slt, %c0, %n : i32
      scf.if %some {
        warp.named_barrier_sync 15 threads 384
        scf.for %i = %c1 to %n step %c1 : i32 {
          warp.named_barrier_sync 15 threads 384
        }
      }
    }
  }
  warp.return
}

// Two warpgroups take turns at barriers 2 and 3; reductions share one barrier.
// CHECK-LABEL: warp.func @reductions_and_turns(
warp.func @reductions_and_turns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %x = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
      %a = warp.block_reduce add %x barrier 1 : tensor<64x1xf32, #warp.row>
      %b = warp.block_reduce max %x barrier 1 : tensor<64x1xf32, #warp.row>
      warp.turn_wait
      warp.turn_pass
      scf.for %i = %c0 to %n step %c1 : i32 {
        warp.turn_wait
        %p = arith.cmpi slt, %i, %c1 : i32
        scf.if %p {
        }
        warp.turn_pass
      }
      warp.named_barrier_sync 4 threads 256
    }
  }
  warp.return
}
