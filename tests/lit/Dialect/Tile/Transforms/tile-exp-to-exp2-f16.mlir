// An exponential that is rounded to f16 stays at or below 1 at the row's maximum: what is subtracted is 2^-21 of itself larger
// than it would be, wherever the maximum stands. bf16 does without.
// RUN: lacuna-opt %s --split-input-file --pass-pipeline='builtin.module(tile.func(tile-exp-to-exp2))' | FileCheck %s

// CHECK-LABEL: tile.func @to_f16
// CHECK-DAG: %[[MORE:.*]] = arith.constant dense<1.00000048> : tensor<64x1xf32>
// CHECK-DAG: %[[LESS:.*]] = arith.constant dense<0.999999523> : tensor<64x1xf32>
// CHECK: %[[M:.*]] = tile.reduce max
// CHECK: %[[ML:.*]] = arith.mulf %[[M]], %{{.*}} : tensor<64x1xf32>
// CHECK: %[[NEGATIVE:.*]] = arith.cmpf olt, %[[ML]]
// CHECK: %[[FACTOR:.*]] = arith.select %[[NEGATIVE]], %[[LESS]], %[[MORE]]
// CHECK: %[[LARGER:.*]] = arith.mulf %[[ML]], %[[FACTOR]]
// CHECK: %[[ADDED:.*]] = arith.negf %[[LARGER]]
// CHECK: %[[TILE:.*]] = tile.broadcast %[[ADDED]]
// CHECK: %[[E:.*]] = math.fma %{{.*}}, %{{.*}}, %[[TILE]]
// CHECK: math.exp2 %[[E]]
tile.func @to_f16(%x: !tile.view<[M, 64], f32>, %y: !tile.view<[M, 64], f16> {tile.output})
    attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %r = arith.muli %p, %c64 : i32
  %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %m = tile.reduce max %t axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  %b = tile.broadcast %m : tensor<64x1xf32> -> tensor<64x64xf32>
  %d = arith.subf %t, %b : tensor<64x64xf32>
  %e = math.exp %d : tensor<64x64xf32>
  %u = arith.truncf %e : tensor<64x64xf32> to tensor<64x64xf16>
  tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xf16>, (!tile.view<[M, 64], f16>, i32, i32)
  tile.return
}

// -----

// CHECK-LABEL: tile.func @to_bf16
// CHECK-NOT: arith.select
// CHECK: %[[F:.*]] = math.fma
// CHECK: math.exp2 %[[F]]
tile.func @to_bf16(%x: !tile.view<[M, 64], f32>, %y: !tile.view<[M, 64], bf16> {tile.output})
    attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %r = arith.muli %p, %c64 : i32
  %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %m = tile.reduce max %t axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  %b = tile.broadcast %m : tensor<64x1xf32> -> tensor<64x64xf32>
  %d = arith.subf %t, %b : tensor<64x64xf32>
  %e = math.exp %d : tensor<64x64xf32>
  %u = arith.truncf %e : tensor<64x64xf32> to tensor<64x64xbf16>
  tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xbf16>, (!tile.view<[M, 64], bf16>, i32, i32)
  tile.return
}
