// Each scalar of a map's body becomes the smallest tile that holds it: a scalar, one value a row, one a column, or all.
// RUN: lacuna-opt %s --tile-vectorize-maps | FileCheck %s

// CHECK-NOT: tile.map

// The mask of attention: what depends on the row only is computed once a row, on the column once a column.
// CHECK-LABEL: tile.func @mask
// CHECK-SAME: %[[LIST:.*]]: !tile.blocks
tile.func @mask(%rows: !tile.blocks<128, 128, [B, 1]>, %y: !tile.view<[128, 128], f32> {tile.output}, %shift: i32)
    attributes {dims = ["B", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  %init = arith.constant dense<1.0> : tensor<128x128xf32>
  %minus_inf = arith.constant 0xFF800000 : f32
  // CHECK: tile.for_blocks %[[T:.*]] in %[[LIST]]{{.*}} init(%[[S:.*]] =
  %r = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 128 limit %n init(%s = %init) : !tile.blocks<128, 128, [B, 1]>, tensor<128x128xf32> {
    // CHECK-DAG: %[[I:.*]] = tile.iota : tensor<128x1xi32>
    // CHECK-DAG: %[[SHIFT:.*]] = tile.broadcast %{{.*}} : i32 -> tensor<128x1xi32>
    // CHECK-DAG: %[[Q:.*]] = arith.addi %[[I]], %[[SHIFT]] : tensor<128x1xi32>
    // CHECK-DAG: %[[K:.*]] = tile.key_positions %[[T]] : !tile.positions<128> -> tensor<1x128xi32>
    // CHECK-DAG: %[[KT:.*]] = tile.broadcast %[[K]] : tensor<1x128xi32> -> tensor<128x128xi32>
    // CHECK-DAG: %[[QT:.*]] = tile.broadcast %[[Q]] : tensor<128x1xi32> -> tensor<128x128xi32>
    // CHECK: %[[KEPT:.*]] = arith.cmpi sle, %[[KT]], %[[QT]] : tensor<128x128xi32>
    // CHECK: %[[INF:.*]] = tile.broadcast %{{.*}} : f32 -> tensor<128x128xf32>
    // CHECK: %[[MASKED:.*]] = arith.select %[[KEPT]], %[[S]], %[[INF]] : tensor<128x128xi1>, tensor<128x128xf32>
    // CHECK: tile.yield %[[MASKED]]
    %masked = tile.map %s : tensor<128x128xf32> -> tensor<128x128xf32> {
    ^bb0(%x: f32, %i: i32, %j: i32):
      %q = arith.addi %i, %shift : i32
      %k = tile.position_at %t, %j : !tile.positions<128>
      %kept = arith.cmpi sle, %k, %q : i32
      %e = arith.select %kept, %x, %minus_inf : f32
      tile.yield %e : f32
    }
    tile.yield %masked : tensor<128x128xf32>
  }
  tile.store %r, %y[%c0, %c0] sizes [128, 128] : tensor<128x128xf32>, (!tile.view<[128, 128], f32>, i32, i32)
  tile.return
}

// Scalars stay scalars; types change by the element; a scalar condition chooses between whole tiles.
// CHECK-LABEL: tile.func @kinds
// CHECK-SAME: %[[A:[a-z0-9]+]]: f32, %[[C:[a-z0-9]+]]: i32
tile.func @kinds(%x: !tile.view<[64, 32], bf16>, %y: !tile.view<[64, 32], f32> {tile.output}, %a: f32, %c: i32)
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], bf16>, i32, i32) -> tensor<64x32xbf16>
  // CHECK: %[[X:.*]] = tile.load
  // CHECK: %[[J:.*]] = tile.iota : tensor<1x32xi32>
  // CHECK: %[[M:.*]] = tile.dim "M"
  // CHECK: %[[SMALL:.*]] = arith.cmpi slt, %[[C]], %[[M]] : i32
  // CHECK: %[[A2:.*]] = arith.mulf %[[A]], %[[A]] fastmath<contract> : f32
  // CHECK: %[[XF:.*]] = arith.extf %[[X]] : tensor<64x32xbf16> to tensor<64x32xf32>
  // CHECK: %[[JF:.*]] = arith.sitofp %[[J]] : tensor<1x32xi32> to tensor<1x32xf32>
  // CHECK: %[[TANH:.*]] = math.tanh %[[JF]] : tensor<1x32xf32>
  // CHECK: %[[A2R:.*]] = tile.broadcast %[[A2]] : f32 -> tensor<1x32xf32>
  // CHECK: %[[BIAS:.*]] = arith.mulf %[[TANH]], %[[A2R]] fastmath<contract> {note = "kept"} : tensor<1x32xf32>
  // CHECK: %[[BIAST:.*]] = tile.broadcast %[[BIAS]] : tensor<1x32xf32> -> tensor<64x32xf32>
  // CHECK: %[[SUM:.*]] = arith.addf %[[XF]], %[[BIAST]] : tensor<64x32xf32>
  // CHECK: arith.select %[[SMALL]], %[[SUM]], %[[XF]] : tensor<64x32xf32>
  %u = tile.map %t : tensor<64x32xbf16> -> tensor<64x32xf32> {
  ^bb0(%e: bf16, %i: i32, %j: i32):
    %m = tile.dim "M"
    %small = arith.cmpi slt, %c, %m : i32
    %a2 = arith.mulf %a, %a fastmath<contract> : f32
    %ef = arith.extf %e : bf16 to f32
    %jf = arith.sitofp %j : i32 to f32
    %tanh = math.tanh %jf : f32
    %bias = arith.mulf %tanh, %a2 fastmath<contract> {note = "kept"} : f32
    %sum = arith.addf %ef, %bias : f32
    %v = arith.select %small, %sum, %ef : f32
    tile.yield %v : f32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.return
}

// A result that is smaller than the map's type is broadcast to it; along an axis of extent 1 the number is 0.
// CHECK-LABEL: tile.func @small_results
tile.func @small_results(%y: !tile.view<[64, 32], i32> {tile.output}, %z: !tile.view<[64], i32> {tile.output})
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // CHECK: %[[I:.*]] = tile.iota : tensor<64x1xi32>
  // CHECK: %[[IT:.*]] = tile.broadcast %[[I]] : tensor<64x1xi32> -> tensor<64x32xi32>
  // CHECK: tile.store %[[IT]]
  %u = tile.map -> tensor<64x32xi32> {
  ^bb0(%i: i32, %j: i32):
    tile.yield %i : i32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xi32>, (!tile.view<[64, 32], i32>, i32, i32)
  // CHECK: %[[ZERO:.*]] = arith.constant 0 : i32
  // CHECK: %[[ZEROS:.*]] = tile.broadcast %[[ZERO]] : i32 -> tensor<64x1xi32>
  // CHECK: tile.store %[[ZEROS]]
  %v = tile.map -> tensor<64x1xi32> {
  ^bb0(%i: i32, %j: i32):
    tile.yield %j : i32
  }
  tile.store %v, %z[%c0] sizes [64] : tensor<64x1xi32>, (!tile.view<[64], i32>, i32)
  tile.return
}
