// A condition that keeps or alters a tile does so in the tile's place, where nobody reads the old one later.
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu | FileCheck %s

// CHECK-LABEL: llvm.func @masked
// The branch that keeps the tile does nothing.
// CHECK:         scf.if %{{.*}} {
// CHECK:           arith.select
// CHECK:           llvm.store
// CHECK:         } else {
// CHECK-NEXT:    }
tile.func @masked(%x: !tile.view<[32, 32], f32>, %y: !tile.view<[32, 32], f32> {tile.output}, %n: i32)
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 32] : (!tile.view<[32, 32], f32>, i32, i32) -> tensor<32x32xf32>
  %zero = arith.constant dense<0.0> : tensor<32x32xf32>
  %p = arith.cmpi sgt, %n, %c0 : i32
  %r = scf.if %p -> (tensor<32x32xf32>) {
    %g = arith.cmpf ogt, %t, %zero : tensor<32x32xf32>
    %s = arith.select %g, %t, %zero : tensor<32x32xi1>, tensor<32x32xf32>
    scf.yield %s : tensor<32x32xf32>
  } else {
    scf.yield %t : tensor<32x32xf32>
  }
  tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[32, 32], f32>, i32, i32)
  tile.return
}

// -----

// Here the old tile is read afterwards: it is copied.
// CHECK-LABEL: llvm.func @kept
// CHECK:         scf.if %{{.*}} {
// CHECK:           arith.select
// CHECK:         } else {
// CHECK:           llvm.load {{.*}} -> vector<16xf32>
// CHECK-NEXT:      llvm.getelementptr
// CHECK:           llvm.store {{.*}} : vector<16xf32>
tile.func @kept(%x: !tile.view<[32, 32], f32>, %y: !tile.view<[32, 32], f32> {tile.output}, %n: i32)
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 32] : (!tile.view<[32, 32], f32>, i32, i32) -> tensor<32x32xf32>
  %zero = arith.constant dense<0.0> : tensor<32x32xf32>
  %p = arith.cmpi sgt, %n, %c0 : i32
  %r = scf.if %p -> (tensor<32x32xf32>) {
    %g = arith.cmpf ogt, %t, %zero : tensor<32x32xf32>
    %s = arith.select %g, %t, %zero : tensor<32x32xi1>, tensor<32x32xf32>
    scf.yield %s : tensor<32x32xf32>
  } else {
    scf.yield %t : tensor<32x32xf32>
  }
  %sum = arith.addf %r, %t : tensor<32x32xf32>
  tile.store %sum, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[32, 32], f32>, i32, i32)
  tile.return
}
