// tile.bands: printed as it is read; bands that are plainly empty go.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --canonicalize | FileCheck %s --check-prefix=FOLDED

// CHECK-LABEL: tile.func @loops
// CHECK-SAME: %[[E:.*]]: i32, %[[Z:.*]]: i32
tile.func @loops(%e: i32, %z: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  // CHECK: %[[ROW:.*]] = tile.bands (%[[C:.*]] to %[[E]] all %[[C]] to %[[Z]]) {note = "kept"} : !tile.bands<128>
  %row = tile.bands (%c0 to %e all %c0 to %z) {note = "kept"} : !tile.bands<128>
  // CHECK: %[[R:.*]] = tile.for_blocks %{{.*}} in %[[ROW]] step 64 limit %{{.*}} init(%{{.*}} = %{{.*}}) : !tile.bands<128>, i32 {
  %r = tile.for_blocks %t in %row step 64 limit %n init(%a = %c0) : !tile.bands<128>, i32 {
    tile.yield %a : i32
  }
  // CHECK: %[[TWO:.*]] = tile.bands (%[[C]] to %[[Z]] all %[[C]] to %[[Z]]), (%[[Z]] to %[[E]] all %[[E]] to %[[R]]) : !tile.bands<16>
  %two = tile.bands (%c0 to %z all %c0 to %z), (%z to %e all %e to %r) : !tile.bands<16>
  // CHECK: tile.for_blocks %{{.*}} in %[[TWO]] step 128 limit %{{.*}} : !tile.bands<16> {
  tile.for_blocks %t in %two step 128 limit %n : !tile.bands<16> {
  }
  tile.return
}

// Only what is plainly empty: its end is a constant that is not above zero, or at most such a one.
// FOLDED-LABEL: tile.func @empty
// FOLDED-SAME: %[[E:.*]]: i32, %[[Z:.*]]: i32
// FOLDED-DAG: %[[C0:.*]] = arith.constant 0 : i32
// FOLDED-DAG: %[[C9:.*]] = arith.constant 9 : i32
// FOLDED: %[[MAY:.*]] = arith.minsi %[[E]], %[[C9]]
// FOLDED: %[[KEPT:.*]] = tile.bands (%[[C0]] to %[[E]] all %[[C0]] to %[[Z]]), (%[[C0]] to %[[MAY]] all %[[C0]] to %[[Z]]) : !tile.bands<128>
// FOLDED: tile.for_blocks %{{.*}} in %[[KEPT]]
// One stays, or there would be no row.
// FOLDED: %[[ONE:.*]] = tile.bands (%[[C0]] to %[[C0]] all %[[C0]] to %[[Z]]) : !tile.bands<128>
// FOLDED: tile.for_blocks %{{.*}} in %[[ONE]]
tile.func @empty(%e: i32, %z: i32, %y: !tile.view<[N], i32> {tile.output}) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c9 = arith.constant 9 : i32
  %n = tile.dim "N"
  %none = arith.minsi %e, %c0 : i32
  %may = arith.minsi %e, %c9 : i32
  %row = tile.bands (%c0 to %c0 all %c0 to %z), (%c0 to %e all %c0 to %z), (%z to %none all %c0 to %z), (%c0 to %may all %c0 to %z) : !tile.bands<128>
  tile.for_blocks %t in %row step 64 limit %n : !tile.bands<128> {
    tile.store %e, %y[%c0] sizes [0] : i32, (!tile.view<[N], i32>, i32)
  }
  %last = tile.bands (%c0 to %c0 all %c0 to %z) : !tile.bands<128>
  tile.for_blocks %t in %last step 64 limit %n : !tile.bands<128> {
    tile.store %e, %y[%c0] sizes [0] : i32, (!tile.view<[N], i32>, i32)
  }
  tile.return
}
