// tile.along: printed as it is read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s

// CHECK-LABEL: tile.func @along
tile.func @along(%x: !tile.view<[M, 64], f32>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %r = arith.muli %p, %c64 : i32
  %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %one = arith.constant dense<1.0> : tensor<64x64xf32>
  // CHECK: tile.along %{{.*}}, %{{.*}} : tensor<64x64xf32>, tensor<64x64xf32>
  %u = tile.along %one, %t : tensor<64x64xf32>, tensor<64x64xf32>
  tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}
