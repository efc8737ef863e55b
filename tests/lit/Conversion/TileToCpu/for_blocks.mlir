// The sparse loop: the bounds of the row, then one iteration a step, whose positions are written to a buffer.
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu -cse | FileCheck %s

// A row past the list's end is empty. Four steps a block: the step's place in its block is step % 4.
// CHECK-LABEL: llvm.func @parts
// CHECK:         %[[EXISTS:.*]] = arith.cmpi ult
// CHECK:         %[[ROW:.*]]:3 = scf.if %[[EXISTS]] -> (i64, i64, i64)
// CHECK:           scf.yield %{{.*}}, %{{.*}}, %{{.*}} : i64, i64, i64
// CHECK:         } else {
// CHECK:           scf.yield %[[ZERO:.*]], %[[ZERO]], %[[ZERO]] : i64, i64, i64
// CHECK:         arith.muli %{{.*}}, %c4_i64
// CHECK:         scf.for %[[STEP:.*]] = %{{.*}} to %{{.*}} step
// CHECK:           arith.remsi %[[STEP]], %c4_i64
// CHECK:           arith.divsi %[[STEP]], %c4_i64
// CHECK:           llvm.store {{.*}} : vector<16xi32>
tile.func @parts(%rows: !tile.blocks<64, 64, [1, 1]>, %y: !tile.view<[N], i32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 16 limit %n : !tile.blocks<64, 64, [1, 1]> {
    %k = tile.key_positions %t : !tile.positions<16> -> tensor<1x16xi32>
    %u = tile.transpose %k : tensor<1x16xi32> -> tensor<16x1xi32>
    tile.store %u, %y[%c0] sizes [16] : tensor<16x1xi32>, (!tile.view<[N], i32>, i32)
  }
  tile.return
}

// -----

// Two blocks a step, of one kind; a missing one is a run of the limit with stride 0.
// CHECK-LABEL: llvm.func @pairs
// CHECK:         arith.divui
// CHECK:         scf.for %[[STEP:.*]] = %{{.*}} to %{{.*}} step
// CHECK:           %[[PARTIAL:.*]] = arith.cmpi slt, %[[STEP]]
// CHECK:           arith.select %[[PARTIAL]]
// CHECK:           scf.for
// CHECK:             scf.if %{{.*}} -> (i32, i32)
// CHECK:             } else {
// CHECK:               scf.yield %{{.*}}, %{{.*}} : i32, i32
// CHECK:           vector.reduction <maxsi>
tile.func @pairs(%rows: !tile.blocks<64, 64, [1, 1]>, %y: !tile.view<[N], i32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 128 limit %n : !tile.blocks<64, 64, [1, 1]> {
    %e = tile.exceeds %t, %n : !tile.positions<128>
    %i = arith.extui %e : i1 to i32
    tile.store %i, %y[%c0] sizes [0] : i32, (!tile.view<[N], i32>, i32)
  }
  tile.return
}
