// Types, tile.load and tile.store: printed as they are read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s

// CHECK-LABEL: tile.func @access(
// CHECK-SAME: !tile.view<[B, H, 2, M, 64], bf16>
// CHECK-SAME: !tile.view<["odd name", 7], i32>
// CHECK-SAME: !tile.view<[M], f16>
tile.func @access(%x: !tile.view<[B, H, 2, M, 64], bf16>, %odd: !tile.view<["odd name", 7], i32>,
                  %v: !tile.view<[M], f16> {tile.output}, %rows: !tile.blocks<64, 64, [1, 1]>)
    attributes {dims = ["B", "H", "M", "odd name"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %m = tile.dim "M"
  // Two sliced axes, a whole and a part of one, one element of an axis, one axis.
  // CHECK: tile.load %{{.*}}[%{{.*}}] sizes [0, 0, 0, 128, 64] : (!tile.view<[B, H, 2, M, 64], bf16>, i32, i32, i32, i32, i32) -> tensor<128x64xbf16>
  %a = tile.load %x[%c0, %c0, %c0, %c0, %c0] sizes [0, 0, 0, 128, 64] : (!tile.view<[B, H, 2, M, 64], bf16>, i32, i32, i32, i32, i32) -> tensor<128x64xbf16>
  // CHECK: sizes [0, 16, 1, 0, 0] : {{.*}} -> tensor<16x1xbf16>
  %b = tile.load %x[%c0, %c0, %c0, %c0, %c0] sizes [0, 16, 1, 0, 0] : (!tile.view<[B, H, 2, M, 64], bf16>, i32, i32, i32, i32, i32) -> tensor<16x1xbf16>
  // Two axes that make the rows, which need not be multiples of 16 alone; with and without columns.
  // CHECK: sizes [0, 3, 16, 0, 64] : {{.*}} -> tensor<48x64xbf16>
  // CHECK: sizes [0, 3, 16, 0, 0] : {{.*}} -> tensor<48x1xbf16>
  // CHECK: sizes [16, 0] : (!tile.view<["odd name", 7], i32>, i32, i32) -> tensor<16x1xi32>
  %joined = tile.load %x[%c0, %c0, %c0, %c0, %c0] sizes [0, 3, 16, 0, 64] : (!tile.view<[B, H, 2, M, 64], bf16>, i32, i32, i32, i32, i32) -> tensor<48x64xbf16>
  %vector = tile.load %x[%c0, %c0, %c0, %c0, %c0] sizes [0, 3, 16, 0, 0] : (!tile.view<[B, H, 2, M, 64], bf16>, i32, i32, i32, i32, i32) -> tensor<48x1xbf16>
  %c = tile.load %odd[%c0, %c0] sizes [16, 0] : (!tile.view<["odd name", 7], i32>, i32, i32) -> tensor<16x1xi32>
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %m : !tile.blocks<64, 64, [1, 1]> {
    // CHECK: sizes [64] : (!tile.view<[M], f16>, !tile.positions<64>) -> tensor<64x1xf16>
    %d = tile.load %v[%t] sizes [64] : (!tile.view<[M], f16>, !tile.positions<64>) -> tensor<64x1xf16>
    // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}] sizes [64] : tensor<64x1xf16>, (!tile.view<[M], f16>, !tile.positions<64>)
    tile.store %d, %v[%t] sizes [64] : tensor<64x1xf16>, (!tile.view<[M], f16>, !tile.positions<64>)
  }
  %one = arith.constant 1.0 : f16
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}] sizes [0] : f16, (!tile.view<[M], f16>, i32)
  tile.store %one, %v[%c0] sizes [0] : f16, (!tile.view<[M], f16>, i32)
  tile.return
}
