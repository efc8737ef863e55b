// An exponential that is rounded to f16 is exact at the row's maximum: subtract, then multiply. bf16 keeps the one fma.
// RUN: lacuna-opt %s --split-input-file --pass-pipeline='builtin.module(tile.func(tile-exp-to-exp2))' | FileCheck %s

// CHECK-LABEL: tile.func @to_f16
// CHECK-NOT: math.fma
// CHECK: %[[D:.*]] = arith.subf
// CHECK: %[[E:.*]] = arith.mulf %[[D]], %{{.*}}
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
