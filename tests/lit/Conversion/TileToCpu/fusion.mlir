// Tiles that are read once are computed where they are read; others are stored once, with their reductions.
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu | FileCheck %s

// One loop nest from the load to the store: no intermediate tile is written to the scratch area.
// CHECK-LABEL: llvm.func @chain
// CHECK:         llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK:         llvm.store
// The value of a row is read before the loop over the columns.
// CHECK:         scf.for
// CHECK:           scf.if
// CHECK:             %[[ROW:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK:             %[[ROWS:.*]] = vector.broadcast %[[ROW]] : f32 to vector<16xf32>
// CHECK:             scf.for
// CHECK:               %[[T:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-NEXT:          %[[D:.*]] = arith.subf %[[T]], %[[ROWS]]
// CHECK-NEXT:          %[[E:.*]] = math.exp %[[D]]
// CHECK-NOT:           llvm.store
// CHECK:               llvm.store %[[E]]
tile.func @chain(%x: !tile.view<[M, 64], f32>, %r: !tile.view<[M], f32>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<32x64xf32>
  %m = tile.load %r[%c0] sizes [32] : (!tile.view<[M], f32>, i32) -> tensor<32x1xf32>
  %b = tile.broadcast %m : tensor<32x1xf32> -> tensor<32x64xf32>
  %d = arith.subf %t, %b : tensor<32x64xf32>
  %e = math.exp %d : tensor<32x64xf32>
  tile.store %e, %y[%c0, %c0] sizes [32, 64] : tensor<32x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// -----

// The sum of the rows is taken while the elements are in registers, and so is the conversion to the dot's operand.
// CHECK-LABEL: llvm.func @reduced
// CHECK:         scf.for {{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:           %[[P:.*]] = math.exp2
// CHECK-NEXT:      arith.addf %[[SUM]], %[[P]]
// CHECK:           arith.bitcast %[[P]]
// CHECK:           llvm.store {{.*}} : vector<16xf32>
// CHECK-NOT:     math.exp2
// CHECK:         vector.extract {{.*}} : f32 from vector<1xf32>
tile.func @reduced(%x: !tile.view<[M, 64], f32>, %v: !tile.view<[64, 32], bf16>, %y: !tile.view<[M, 32], f32> {tile.output},
                   %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<32x64xf32>
  %u = tile.load %v[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], bf16>, i32, i32) -> tensor<64x32xbf16>
  %p = math.exp2 %t : tensor<32x64xf32>
  %s = tile.reduce add %p axes [1] : tensor<32x64xf32> -> tensor<32x1xf32>
  %q = arith.truncf %p : tensor<32x64xf32> to tensor<32x64xbf16>
  %o = tile.dot %q, %u : tensor<32x64xbf16>, tensor<64x32xbf16> -> tensor<32x32xf32>
  tile.store %o, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[M, 32], f32>, i32, i32)
  tile.store %s, %z[%c0] sizes [32] : tensor<32x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}
