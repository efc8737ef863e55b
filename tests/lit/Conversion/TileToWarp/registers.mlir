// What the consumers compute in registers: layouts, loads that no product reads, reductions, stores.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// CHECK-NOT: tile.func

// CHECK-LABEL: warp.func @elementwise
// No product: no ring.
// CHECK-NOT: warp.ring_create
// The producer has nothing to do.
// CHECK: warp.role producer warpgroups 1 registers {{[0-9]+}} {
// CHECK-NEXT: }
// CHECK: warp.role consumer warpgroups 2
// The rows of a load are the thread block's; the tile is this warpgroup's 64.
// CHECK: %[[X:.*]] = warp.load_global %{{.*}}[%[[P:.*]], %{{.*}}] sizes [128, 32] : <[M, 32], f32> -> tensor<64x32xf32, #warp.acc>
// A vector is one value a row; transposed, one a column.
// CHECK: %[[V:.*]] = warp.load_global %{{.*}}[%[[P]]] sizes [128] : <[M], f32> -> tensor<64x1xf32, #warp.row>
// CHECK: %[[BIAS:.*]] = warp.load_global %{{.*}}[%{{.*}}] sizes [32] : <[K], f32> -> tensor<1x32xf32, #warp.col>
// CHECK: %[[VB:.*]] = warp.broadcast %[[V]] : tensor<64x1xf32, #warp.row> -> tensor<64x32xf32, #warp.acc>
// CHECK: %[[BB:.*]] = warp.broadcast %[[BIAS]] : tensor<1x32xf32, #warp.col> -> tensor<64x32xf32, #warp.acc>
// CHECK: %[[XV:.*]] = arith.mulf %[[X]], %[[VB]] fastmath<nnan> : tensor<64x32xf32, #warp.acc>
// CHECK: %[[SUM:.*]] = arith.addf %[[XV]], %[[BB]] : tensor<64x32xf32, #warp.acc>
// CHECK: warp.iota : tensor<64x1xi32, #warp.row>
// CHECK: warp.iota : tensor<1x32xi32, #warp.col>
// CHECK: arith.constant dense<1.000000e+00> : tensor<1x32xf32, #warp.col>
// A row's reduction: each thread's columns, then the four lanes of the row.
// CHECK: %[[PART:.*]] = warp.row_reduce min %[[SUM]] : tensor<64x32xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
// CHECK: %[[MIN:.*]] = warp.quad_reduce min %[[PART]] : tensor<64x1xf32, #warp.row>
// A reduction of everything: over all warpgroups.
// CHECK: %[[ALL:.*]] = warp.block_reduce max %[[SUM]] barrier 1 : tensor<64x32xf32, #warp.acc>
// CHECK: warp.block_reduce add %[[MIN]] barrier 1 : tensor<64x1xf32, #warp.row>
// CHECK: warp.store_global %[[SUM]], %{{.*}} sizes [128, 32] : tensor<64x32xf32, #warp.acc>, <[M, 32], f32>
// CHECK: warp.store_global %[[MIN]], %{{.*}} sizes [128] : tensor<64x1xf32, #warp.row>, <[M], f32>
// CHECK: warp.store_global %[[ALL]], %{{.*}} sizes [0] : f32, <[M], f32>
tile.func @elementwise(%x: !tile.view<[M, 32], f32>, %v: !tile.view<[M], f32>, %bias: !tile.view<[K], f32>,
                       %y: !tile.view<[M, 32], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %tx = tile.load %x[%p, %c0] sizes [128, 32] : (!tile.view<[M, 32], f32>, i32, i32) -> tensor<128x32xf32>
  %tv = tile.load %v[%p] sizes [128] : (!tile.view<[M], f32>, i32) -> tensor<128x1xf32>
  %tb = tile.load %bias[%c0] sizes [32] : (!tile.view<[K], f32>, i32) -> tensor<32x1xf32>
  %bt = tile.transpose %tb : tensor<32x1xf32> -> tensor<1x32xf32>
  %vb = tile.broadcast %tv : tensor<128x1xf32> -> tensor<128x32xf32>
  %bb = tile.broadcast %bt : tensor<1x32xf32> -> tensor<128x32xf32>
  %xv = arith.mulf %tx, %vb fastmath<nnan> : tensor<128x32xf32>
  %sum = arith.addf %xv, %bb : tensor<128x32xf32>
  %i = tile.iota : tensor<128x1xi32>
  %j = tile.iota : tensor<1x32xi32>
  %one = arith.constant dense<1.0> : tensor<1x32xf32>
  %min = tile.reduce min %sum axes [1] : tensor<128x32xf32> -> tensor<128x1xf32>
  %all = tile.reduce max %sum axes [0, 1] : tensor<128x32xf32> -> f32
  %total = tile.reduce add %min axes [0, 1] : tensor<128x1xf32> -> f32
  tile.store %sum, %y[%p, %c0] sizes [128, 32] : tensor<128x32xf32>, (!tile.view<[M, 32], f32>, i32, i32)
  tile.store %min, %z[%p] sizes [128] : tensor<128x1xf32>, (!tile.view<[M], f32>, i32)
  tile.store %all, %z[%p] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// A tile that is multiplied and computed with comes both ways.
// CHECK-LABEL: warp.func @both_ways
// CHECK: warp.role producer
// CHECK: warp.tma_load %[[X:[a-z0-9]+]][
// CHECK: warp.role consumer
// CHECK: %[[LOADED:.*]] = warp.load_global %[[X]][%{{.*}}] sizes [64, 64] : <[M, 64], bf16> -> tensor<64x64xbf16, #warp.acc>
// CHECK: warp.wgmma_ss
// CHECK: arith.extf %[[LOADED]] : tensor<64x64xbf16, #warp.acc> to tensor<64x64xf32, #warp.acc>
tile.func @both_ways(%x: !tile.view<[M, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %tx = tile.load %x[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %tx, %tx : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %e = arith.extf %tx : tensor<64x64xbf16> to tensor<64x64xf32>
  %r = arith.addf %s, %e : tensor<64x64xf32>
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}
