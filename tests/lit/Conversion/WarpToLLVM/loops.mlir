// Loops count in i64 where the first value that is not below the upper bound may be more than an i32 holds.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: llvm.func @loops(
// CHECK-SAME: %[[COUNT:arg0]]: i32,
// CHECK: %[[WIDE:[0-9]+]] = arith.extsi %[[COUNT]] : i32 to i64
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %c0_i64 to %[[WIDE]] step %c64_i64 : i64
// CHECK-NEXT: arith.trunci %[[I]] : i64 to i32
// A dimension leaves room for a tile behind it; a step of 1 passes nothing.
// CHECK: scf.for %{{[a-z0-9_]+}} = %c0_i32 to %{{[a-z0-9_]+}} step %c64_i32 : i32
// CHECK: scf.for %{{[a-z0-9_]+}} = %c0_i32 to %[[COUNT]] step %c1_i32 : i32
// CHECK: scf.for %{{[a-z0-9_]+}} = %c0_i32 to %c1024_i32 step %c64_i32 : i32
warp.func @loops(%count: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %c1024 = arith.constant 1024 : i32
  %m = tile.dim "M"
  scf.for %i = %c0 to %count step %c64 : i32 {
    warp.store_global %i, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  scf.for %i = %c0 to %m step %c64 : i32 {
    warp.store_global %i, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  scf.for %i = %c0 to %count step %c1 : i32 {
    warp.store_global %i, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  scf.for %i = %c0 to %c1024 step %c64 : i32 {
    warp.store_global %i, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}
