// tile.for_blocks and what can be asked about its positions: printed as they are read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s

// CHECK-LABEL: tile.func @loops
// CHECK-SAME: %[[ROWS:.*]]: !tile.blocks<128, 64, [B, H]>
tile.func @loops(%rows: !tile.blocks<128, 64, [B, H]>) attributes {dims = ["B", "H", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  // CHECK: %[[R:.*]]:2 = tile.for_blocks %[[T:.*]] in %[[ROWS]][%{{.*}}, %{{.*}}, %{{.*}}] step 128 limit %{{.*}} init(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) {note = "kept"} : !tile.blocks<128, 64, [B, H]>, i32, i32 {
  %r:2 = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 128 limit %n init(%a = %c0, %b = %n) {note = "kept"} : !tile.blocks<128, 64, [B, H]>, i32, i32 {
    // CHECK: tile.is_partial %[[T]] : !tile.positions<128>
    // CHECK: tile.exceeds %[[T]], %{{.*}} : !tile.positions<128>
    // CHECK: tile.key_positions %[[T]] : !tile.positions<128> -> tensor<1x128xi32>
    %p = tile.is_partial %t : !tile.positions<128>
    %e = tile.exceeds %t, %n : !tile.positions<128>
    %k = tile.key_positions %t : !tile.positions<128> -> tensor<1x128xi32>
    // CHECK: tile.position_at %[[T]], %{{.*}} : !tile.positions<128>
    %m = tile.map -> tensor<64x128xi32> {
    ^bb0(%i: i32, %j: i32):
      %at = tile.position_at %t, %j : !tile.positions<128>
      tile.yield %at : i32
    }
    // CHECK: tile.yield %{{.*}}, %{{.*}} : i32, i32
    tile.yield %b, %a : i32, i32
  }
  // Steps shorter than the list's blocks, and nothing carried.
  // CHECK: tile.for_blocks %{{.*}} in %[[ROWS]][%{{.*}}] step 32 limit %{{.*}} : !tile.blocks<128, 64, [B, H]> {
  // CHECK-NEXT: }
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 32 limit %r#0 : !tile.blocks<128, 64, [B, H]> {
  }
  tile.return
}
