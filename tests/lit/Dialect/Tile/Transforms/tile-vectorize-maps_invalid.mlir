// What has no meaning on tiles is refused, where it stands.
// RUN: lacuna-opt %s --tile-vectorize-maps --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

tile.func @other_column(%rows: !tile.blocks<128, 128, [B, 1]>, %y: !tile.view<[128, 128], i32> {tile.output})
    attributes {dims = ["B", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 128 limit %n : !tile.blocks<128, 128, [B, 1]> {
    %u = tile.map -> tensor<128x128xi32> {
    ^bb0(%i: i32, %j: i32):
      %next = arith.addi %j, %c1 : i32
      // expected-error@+1 {{takes the column number of the tile.map as its index; for another column, compute it from the position of this one, e.g. t[j] + 1}}
      %k = tile.position_at %t, %next : !tile.positions<128>
      tile.yield %k : i32
    }
    tile.store %u, %y[%c0, %c0] sizes [128, 128] : tensor<128x128xi32>, (!tile.view<[128, 128], i32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @other_width(%rows: !tile.blocks<128, 128, [B, 1]>, %y: !tile.view<[128, 64], i32> {tile.output})
    attributes {dims = ["B", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 128 limit %n : !tile.blocks<128, 128, [B, 1]> {
    %u = tile.map -> tensor<128x64xi32> {
    ^bb0(%i: i32, %j: i32):
      // expected-error@+1 {{the step has 128 positions, but the tile of the map has 64 columns; map a tile with one column a position}}
      %k = tile.position_at %t, %j : !tile.positions<128>
      tile.yield %k : i32
    }
    tile.store %u, %y[%c0, %c0] sizes [128, 64] : tensor<128x64xi32>, (!tile.view<[128, 64], i32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @branch(%y: !tile.view<[64, 32], i32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %u = tile.map -> tensor<64x32xi32> {
  ^bb0(%i: i32, %j: i32):
    %lower = arith.cmpi sle, %j, %i : i32
    // expected-error@+1 {{cannot be done element by element: the body of a tile.map is straight-line arithmetic; choose between two values with arith.select (c ? a : b)}}
    %k = scf.if %lower -> i32 {
      scf.yield %i : i32
    } else {
      scf.yield %j : i32
    }
    tile.yield %k : i32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xi32>, (!tile.view<[64, 32], i32>, i32, i32)
  tile.return
}

// -----

tile.func @not_elementwise(%y: !tile.view<[64, 32], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %u = tile.map -> tensor<64x32xf32> {
  ^bb0(%i: i32, %j: i32):
    // expected-error@+1 {{has no meaning on tiles: the body of a tile.map is made of the elementwise operations of arith and math}}
    %k = llvm.bitcast %j : i32 to f32
    tile.yield %k : f32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.return
}

// -----

tile.hook @same(%x: i32) -> i32 {
  tile.return %x : i32
}

tile.func @call(%y: !tile.view<[64, 32], i32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %u = tile.map -> tensor<64x32xi32> {
  ^bb0(%i: i32, %j: i32):
    // expected-error@+1 {{is still a call: run tile-inline-hooks before tile-vectorize-maps}}
    %k = tile.call_hook @same(%j) : (i32) -> i32
    tile.yield %k : i32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xi32>, (!tile.view<[64, 32], i32>, i32, i32)
  tile.return
}
