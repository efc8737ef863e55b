// Rows within the view are read and written as vectors, rows that reach past an end under a mask.
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu | FileCheck %s

// CHECK-LABEL: llvm.func @edges
// CHECK:         scf.for
// CHECK:           %[[IN:.*]] = arith.cmpi ult
// CHECK:           scf.if
// CHECK:             llvm.load {{.*}} -> vector<16xf16>
// CHECK:             arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK:           } else {
// CHECK:             %[[MASK:.*]] = arith.cmpi ult, {{.*}} : vector<16xi32>
// CHECK:             llvm.intr.masked.load %{{.*}}, %[[MASK]], %{{.*}}
// CHECK:         scf.if
// CHECK:           arith.shrui {{.*}} : vector<16xi32>
// CHECK:           llvm.store {{.*}} : vector<16xi16>
// CHECK:         } else {
// CHECK:           llvm.intr.masked.store
tile.func @edges(%x: !tile.view<[M, N], f16>, %y: !tile.view<[M, N], bf16> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 64] : (!tile.view<[M, N], f16>, i32, i32) -> tensor<32x64xf16>
  %w = arith.extf %t : tensor<32x64xf16> to tensor<32x64xf32>
  %u = arith.truncf %w : tensor<32x64xf32> to tensor<32x64xbf16>
  tile.store %u, %y[%c0, %c0] sizes [32, 64] : tensor<32x64xbf16>, (!tile.view<[M, N], bf16>, i32, i32)
  tile.return
}

// -----

// Where the tile's columns are not the innermost axis, elements are read one by one.
// CHECK-LABEL: llvm.func @column
// CHECK:         scf.for
// CHECK:           scf.if
// CHECK:             llvm.load {{.*}} -> i32
// CHECK:           } else {
// CHECK:             arith.constant 0 : i32
tile.func @column(%x: !tile.view<[M, N], i32>, %y: !tile.view<[32], i32> {tile.output}, %j: i32)
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %j] sizes [32, 0] : (!tile.view<[M, N], i32>, i32, i32) -> tensor<32x1xi32>
  tile.store %t, %y[%c0] sizes [32] : tensor<32x1xi32>, (!tile.view<[32], i32>, i32)
  tile.return
}

// -----

// Rows along two axes: each row's own positions on both, the columns as vectors; one value a row goes one by one.
// CHECK-LABEL: llvm.func @joined
// CHECK:         scf.for %[[ROW:.*]] = %{{.*}}
// CHECK:           arith.divui %[[ROW]], %{{.*}} : i64
// CHECK:           arith.cmpi ult
// CHECK:           arith.remui %[[ROW]], %{{.*}} : i64
// CHECK:           arith.cmpi ult
// CHECK:           llvm.load {{.*}} -> vector<16xf32>
// CHECK:         scf.for
// CHECK:           llvm.store {{.*}} : vector<16xf32>
// CHECK:         arith.divui {{.*}} : i64
// CHECK:         arith.remui {{.*}} : i64
// CHECK:         llvm.store {{.*}} : f32
tile.func @joined(%x: !tile.view<[H, M, N], f32>, %y: !tile.view<[H, M, N], f32> {tile.output},
                  %z: !tile.view<[H, M], f32> {tile.output}) attributes {dims = ["H", "M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0, %c0] sizes [3, 16, 64] : (!tile.view<[H, M, N], f32>, i32, i32, i32) -> tensor<48x64xf32>
  tile.store %t, %y[%c0, %c0, %c0] sizes [3, 16, 64] : tensor<48x64xf32>, (!tile.view<[H, M, N], f32>, i32, i32, i32)
  %s = tile.reduce add %t axes [1] : tensor<48x64xf32> -> tensor<48x1xf32>
  tile.store %s, %z[%c0, %c0] sizes [3, 16] : tensor<48x1xf32>, (!tile.view<[H, M], f32>, i32, i32)
  tile.return
}
