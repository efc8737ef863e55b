// A loop over a list is cut where the steps that may need masks end; the second part knows that it needs none.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-split-masked))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

#row = #warp.row

// CHECK-LABEL: warp.func @asks
// CHECK-SAME: "masks: steps that may need them run in a loop of their own"
// CHECK: %[[LIST:.*]] = warp.list_open
// CHECK: %[[COUNT:.*]] = warp.list_count %[[LIST]]
// CHECK: %[[MASKED:.*]] = warp.list_masked %[[LIST]]
// CHECK: %[[FIRST:.*]] = scf.for %{{.*}} = %{{.*}} to %[[MASKED]] step
// CHECK: %[[PARTIAL:.*]], %[[EXCEEDS:.*]], %{{.*}} = warp.list_step
// CHECK: arith.ori %[[PARTIAL]], %[[EXCEEDS]]
// CHECK: }
// CHECK: %[[SECOND:.*]] = scf.for %{{.*}} = %[[MASKED]] to %[[COUNT]] step %{{.*}} iter_args(%{{.*}} = %[[FIRST]])
// CHECK: %[[NO:.*]] = arith.constant false
// CHECK: arith.ori %[[NO]], %[[NO]]
// CHECK: }
// CHECK: warp.store_global %[[SECOND]]

// The rest of a loop whose first step was taken out: it starts no earlier than it did.
// CHECK: %[[MIDDLE:.*]] = arith.maxsi %{{.*}}, %[[ONE:c1_i32[_0-9]*]]
// CHECK: scf.for %{{.*}} = %[[ONE]] to %[[MIDDLE]]
// CHECK: scf.for %{{.*}} = %[[MIDDLE]] to

// The schedule may forbid it.
// CHECK-LABEL: warp.func @forbidden
// CHECK-SAME: "masks: steps that may need them stay in the loop of the others, as the schedule says"
// CHECK-NOT: warp.list_masked
// CHECK: scf.for
// CHECK-NOT: scf.for

// Who does not ask is not cut.
// CHECK-LABEL: warp.func @does_not_ask
// CHECK-NOT: warp.decisions
// CHECK-NOT: warp.list_masked
// CHECK: scf.for
// CHECK-NOT: scf.for
warp.func @asks(%out: !tile.view<[M], f32>, %rows: !tile.blocks<64, 64, [1, 1]>, %n: i32) attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32, #row>
  %one = arith.constant dense<1.0> : tensor<64x1xf32, #row>
  %list = warp.list_open %rows[%c0, %c0, %c0] limit %n : !tile.blocks<64, 64, [1, 1]> -> !warp.list<64, 64>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      %count = warp.list_count %list : !warp.list<64, 64>
      %r = scf.for %i = %c0 to %count step %c1 iter_args(%x = %zero) -> (tensor<64x1xf32, #row>) : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<64, 64> -> i32
        %any = arith.ori %p, %e : i1
        %y = scf.if %any -> (tensor<64x1xf32, #row>) {
          %more = arith.addf %x, %one : tensor<64x1xf32, #row>
          scf.yield %more : tensor<64x1xf32, #row>
        } else {
          scf.yield %x : tensor<64x1xf32, #row>
        }
        scf.yield %y : tensor<64x1xf32, #row>
      }
      warp.store_global %r, %out[%c0] sizes [64] : tensor<64x1xf32, #row>, !tile.view<[M], f32>
      %s = scf.for %i = %c1 to %count step %c1 iter_args(%x = %zero) -> (tensor<64x1xf32, #row>) : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<64, 64> -> i32
        %any = arith.ori %p, %e : i1
        %y = scf.if %any -> (tensor<64x1xf32, #row>) {
          %more = arith.addf %x, %one : tensor<64x1xf32, #row>
          scf.yield %more : tensor<64x1xf32, #row>
        } else {
          scf.yield %x : tensor<64x1xf32, #row>
        }
        scf.yield %y : tensor<64x1xf32, #row>
      }
      warp.store_global %s, %out[%c0] sizes [64] : tensor<64x1xf32, #row>, !tile.view<[M], f32>
    }
  }
  warp.return
}

warp.func @forbidden(%out: !tile.view<[M], f32>, %rows: !tile.blocks<64, 64, [1, 1]>, %n: i32) attributes {dims = ["M"], grid = ["ceildiv(M, 64)"], warp.no_split} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32, #row>
  %list = warp.list_open %rows[%c0, %c0, %c0] limit %n : !tile.blocks<64, 64, [1, 1]> -> !warp.list<64, 64>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      %count = warp.list_count %list : !warp.list<64, 64>
      %r = scf.for %i = %c0 to %count step %c1 iter_args(%x = %zero) -> (tensor<64x1xf32, #row>) : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<64, 64> -> i32
        %y = arith.select %p, %zero, %x : tensor<64x1xf32, #row>
        scf.yield %y : tensor<64x1xf32, #row>
      }
      warp.store_global %r, %out[%c0] sizes [64] : tensor<64x1xf32, #row>, !tile.view<[M], f32>
    }
  }
  warp.return
}

warp.func @does_not_ask(%out: !tile.view<[M], f32>, %rows: !tile.blocks<64, 64, [1, 1]>, %n: i32) attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32, #row>
  %one = arith.constant dense<1.0> : tensor<64x1xf32, #row>
  %list = warp.list_open %rows[%c0, %c0, %c0] limit %n : !tile.blocks<64, 64, [1, 1]> -> !warp.list<64, 64>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      %count = warp.list_count %list : !warp.list<64, 64>
      %r = scf.for %i = %c0 to %count step %c1 iter_args(%x = %zero) -> (tensor<64x1xf32, #row>) : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<64, 64> -> i32
        %f = arith.sitofp %start : i32 to f32
        %b = warp.broadcast %f : f32 -> tensor<64x1xf32, #row>
        %y = arith.addf %x, %b : tensor<64x1xf32, #row>
        scf.yield %y : tensor<64x1xf32, #row>
      }
      warp.store_global %r, %out[%c0] sizes [64] : tensor<64x1xf32, #row>, !tile.view<[M], f32>
    }
  }
  warp.return
}
