// tile.func, tile.hook, tile.return, tile.call_hook, tile.map, tile.program_id, tile.dim: printed as they are read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s

// CHECK-LABEL: tile.hook @causal(
// CHECK-SAME: %[[I:.*]]: i32, %[[J:.*]]: i32) -> i1 {
// CHECK: %[[N:.*]] = tile.dim "N"
// CHECK: %[[R:.*]] = arith.cmpi sle, %[[J]], %{{.*}} : i32
// CHECK: tile.return %[[R]] : i1
tile.hook @causal(%i: i32, %j: i32) -> i1 {
  %n = tile.dim "N"
  %last = arith.addi %i, %n : i32
  %r = arith.cmpi sle, %j, %last : i32
  tile.return %r : i1
}

// A hook may call another.
// CHECK-LABEL: tile.hook @masked(
// CHECK: tile.call_hook @causal(%{{.*}}, %{{.*}}) : (i32, i32) -> i1
tile.hook @masked(%x: f32, %i: i32, %j: i32) -> f32 {
  %inf = arith.constant 0xFF800000 : f32
  %k = tile.call_hook @causal(%i, %j) : (i32, i32) -> i1
  %y = arith.select %k, %x, %inf : f32
  tile.return %y : f32
}

// CHECK-LABEL: tile.func @kernel(
// CHECK-SAME: %{{.*}}: !tile.view<[M, 64], f32> {tile.name = "x"}
// CHECK-SAME: %{{.*}}: !tile.view<[M, 64], f32> {tile.output}
// CHECK-SAME: %{{.*}}: !tile.blocks<64, 128, [B, 1]>
// CHECK-SAME: %{{.*}}: f32 {tile.positive}, %{{.*}}: i32)
// CHECK-SAME: attributes {constraints = ["M % 2 == 0"], dims = ["B", "M", "N"], grid = ["ceildiv(M, 64)", "1", "N"], schedule = {stages = 2 : i64}}
tile.func @kernel(%x: !tile.view<[M, 64], f32> {tile.name = "x"}, %y: !tile.view<[M, 64], f32> {tile.output},
                  %rows: !tile.blocks<64, 128, [B, 1]>, %scale: f32 {tile.positive}, %window: i32)
    attributes {dims = ["B", "M", "N"], grid = ["ceildiv(M, 64)", "1", "N"], constraints = ["M % 2 == 0"],
                schedule = {stages = 2 : i64}} {
  // CHECK: tile.program_id 0
  // CHECK: tile.program_id 2
  // CHECK: tile.dim "N"
  %p = tile.program_id 0
  %q = tile.program_id 2
  %n = tile.dim "N"
  %c0 = arith.constant 0 : i32
  %r = arith.addi %p, %q : i32
  %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  // CHECK: %[[U:.*]] = tile.map %[[T:.*]], %[[T]] : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32, %[[RI:.*]]: i32, %[[CJ:.*]]: i32):
  // CHECK: tile.call_hook @masked(%{{.*}}, %[[RI]], %[[CJ]]) : (f32, i32, i32) -> f32
  // CHECK: tile.yield %{{.*}} : f32
  %u = tile.map %t, %t : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> {
  ^bb0(%a: f32, %b: f32, %i: i32, %j: i32):
    %sum = arith.addf %a, %b : f32
    %m = tile.call_hook @masked(%sum, %i, %j) : (f32, i32, i32) -> f32
    tile.yield %m : f32
  }
  // Without inputs.
  // CHECK: tile.map {note = "kept"} -> tensor<64x64xi32> {
  %v = tile.map {note = "kept"} -> tensor<64x64xi32> {
  ^bb0(%i: i32, %j: i32):
    tile.yield %i : i32
  }
  tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  // CHECK: tile.return
  tile.return
}

// A program is told apart by its whole id, or by quotient and remainder of one together.
// CHECK-LABEL: tile.func @split_id
tile.func @split_id(%y: !tile.view<[H, M], f32> {tile.output}, %v: f32) attributes {dims = ["H", "M"], grid = ["H * M"]} {
  %p = tile.program_id 0
  %m = tile.dim "M"
  %row = arith.divsi %p, %m : i32
  %column = arith.remsi %p, %m : i32
  tile.store %v, %y[%row, %column] sizes [0, 0] : f32, (!tile.view<[H, M], f32>, i32, i32)
  tile.return
}
