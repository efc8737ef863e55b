// One reciprocal a row, column or tile in place of a division an element.
// RUN: lacuna-opt %s --tile-row-reciprocal | FileCheck %s

// CHECK-LABEL: tile.func @divisions
// CHECK-SAME: %[[A:[a-z0-9]+]]: f32
tile.func @divisions(%x: !tile.view<[64, 32], f32>, %v: !tile.view<[64], f32>, %a: f32, %y: !tile.view<[4, 64, 32], f32> {tile.output},
                     %z: !tile.view<[64], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %c3 = arith.constant 3 : i32
  %four = arith.constant dense<4.0> : tensor<64x32xf32>
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : tensor<64x1xf32>
  // CHECK-DAG: %[[QUARTER:.*]] = arith.constant dense<2.500000e-01> : tensor<64x32xf32>
  // CHECK: %[[T:.*]] = tile.load {{.*}} -> tensor<64x32xf32>
  // CHECK: %[[R:.*]] = tile.load {{.*}} -> tensor<64x1xf32>
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %r = tile.load %v[%c0] sizes [64] : (!tile.view<[64], f32>, i32) -> tensor<64x1xf32>
  // CHECK: %[[INV:.*]] = arith.divf %[[ONES]], %[[R]] : tensor<64x1xf32>
  // CHECK: %[[INVT:.*]] = tile.broadcast %[[INV]]
  // CHECK: arith.mulf %[[T]], %[[INVT]]
  %rt = tile.broadcast %r : tensor<64x1xf32> -> tensor<64x32xf32>
  %by_row = arith.divf %t, %rt : tensor<64x32xf32>
  // CHECK: %[[AINV:.*]] = arith.divf %[[ONE]], %[[A]] : f32
  // CHECK: %[[AINVT:.*]] = tile.broadcast %[[AINV]] : f32
  // CHECK: arith.mulf %[[T]], %[[AINVT]]
  %at = tile.broadcast %a : f32 -> tensor<64x32xf32>
  %by_scalar = arith.divf %t, %at : tensor<64x32xf32>
  // CHECK: arith.mulf %[[T]], %[[QUARTER]]
  %by_constant = arith.divf %t, %four : tensor<64x32xf32>
  // Divisors that vary along the elements stay, and so does a division of vectors.
  // CHECK: arith.divf %{{.*}}, %[[T]] : tensor<64x32xf32>
  %by_tile = arith.divf %rt, %t : tensor<64x32xf32>
  // CHECK: arith.divf %[[R]], %[[R]] : tensor<64x1xf32>
  %of_rows = arith.divf %r, %r : tensor<64x1xf32>
  tile.store %by_row, %y[%c0, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[4, 64, 32], f32>, i32, i32, i32)
  tile.store %by_scalar, %y[%c1, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[4, 64, 32], f32>, i32, i32, i32)
  tile.store %by_constant, %y[%c2, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[4, 64, 32], f32>, i32, i32, i32)
  tile.store %by_tile, %y[%c3, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[4, 64, 32], f32>, i32, i32, i32)
  tile.store %of_rows, %z[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
