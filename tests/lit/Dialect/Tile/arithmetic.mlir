// tile.dot, tile.transpose, tile.broadcast, tile.reduce, tile.iota: printed as they are read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s

// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: tile.func @arithmetic
tile.func @arithmetic(%x: !tile.view<[64, 32], bf16>, %w: !tile.view<[64, 32], f16>, %a: f32, %i: i32)
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], bf16>, i32, i32) -> tensor<64x32xbf16>
  %h = tile.load %w[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f16>, i32, i32) -> tensor<64x32xf16>
  // CHECK: tile.transpose %{{.*}} : tensor<64x32xbf16> -> tensor<32x64xbf16>
  %tt = tile.transpose %t : tensor<64x32xbf16> -> tensor<32x64xbf16>
  %ht = tile.transpose %h : tensor<64x32xf16> -> tensor<32x64xf16>
  // CHECK: tile.dot %{{.*}}, %{{.*}} {label = "qk"} : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  %s = tile.dot %t, %tt {label = "qk"} : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}} acc %{{.*}} : tensor<64x64xf32> : tensor<64x32xf16>, tensor<32x64xf16> -> tensor<64x64xf32>
  %u = tile.dot %h, %ht acc %s : tensor<64x64xf32> : tensor<64x32xf16>, tensor<32x64xf16> -> tensor<64x64xf32>
  // CHECK: tile.reduce max %{{.*}} axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  %m = tile.reduce max %u axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  // CHECK: tile.reduce min %{{.*}} axes [0] : tensor<64x64xf32> -> tensor<1x64xf32>
  %n = tile.reduce min %u axes [0] : tensor<64x64xf32> -> tensor<1x64xf32>
  // CHECK: tile.reduce add %{{.*}} axes [0, 1] : tensor<64x64xf32> -> f32
  %z = tile.reduce add %u axes [0, 1] : tensor<64x64xf32> -> f32
  // CHECK: tile.broadcast %{{.*}} : tensor<64x1xf32> -> tensor<64x64xf32>
  // CHECK: tile.broadcast %{{.*}} : tensor<1x64xf32> -> tensor<64x64xf32>
  // CHECK: tile.broadcast %{{.*}} : f32 -> tensor<64x1xf32>
  // CHECK: tile.broadcast %{{.*}} : i32 -> tensor<64x64xi32>
  %b0 = tile.broadcast %m : tensor<64x1xf32> -> tensor<64x64xf32>
  %b1 = tile.broadcast %n : tensor<1x64xf32> -> tensor<64x64xf32>
  %b2 = tile.broadcast %a : f32 -> tensor<64x1xf32>
  %b3 = tile.broadcast %i : i32 -> tensor<64x64xi32>
  // CHECK: tile.iota : tensor<64x1xi32>
  // CHECK: tile.iota : tensor<1x64xi32>
  %i0 = tile.iota : tensor<64x1xi32>
  %i1 = tile.iota : tensor<1x64xi32>
  tile.return
}
