// What the pass cannot follow is refused, never guessed.
// RUN: lacuna-opt %s --tile-mask-tails --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// The tile of the last step: which of its columns count is not known after the loop.
tile.func @carried_tile(%x: !tile.view<[64, N], f32>, %y: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c32 = arith.constant 32 : i32
  %n = tile.dim "N"
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  %r = scf.for %i = %c0 to %n step %c32 iter_args(%last = %zero) -> tensor<64x32xf32> : i32 {
    // expected-note@+1 {{the tile is made here}}
    %t = tile.load %x[%c0, %i] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
    // expected-error@+1 {{carries a tile whose axis 1 may reach past the end of a view, at positions that change with every step; reduce or contract that axis inside the loop, or carry a sum, maximum or minimum: acc + x}}
    scf.yield %t : tensor<64x32xf32>
  }
  %max = tile.reduce max %r axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  tile.store %max, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// -----

// The same in a sparse loop, behind an operation that mixes both.
tile.func @mixed(%x: !tile.view<[64, N], f32>, %rows: !tile.blocks<64, 64, [1, 1]>, %y: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  %one = arith.constant dense<1.0> : tensor<64x64xf32>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %n init(%acc = %one) : !tile.blocks<64, 64, [1, 1]>, tensor<64x64xf32> {
    %s = tile.load %x[%c0, %t] sizes [64, 64] : (!tile.view<[64, N], f32>, i32, !tile.positions<64>) -> tensor<64x64xf32>
    // expected-note@+1 {{the tile is made here}}
    %next = arith.mulf %acc, %s : tensor<64x64xf32>
    // expected-error@+1 {{carries a tile whose axis 1 may reach past the end of a view}}
    tile.yield %next : tensor<64x64xf32>
  }
  %max = tile.reduce max %r axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  tile.store %max, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// -----

tile.func @start_in_branch(%x: !tile.view<[64, N], f32>, %y: !tile.view<[64], f32> {tile.output}, %flag: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %on = arith.cmpi ne, %flag, %c0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  %t = scf.if %on -> tensor<64x32xf32> {
    // expected-note@+1 {{the tile starts here}}
    %start = arith.muli %flag, %flag : i32
    %inner = tile.load %x[%c0, %start] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
    scf.yield %inner : tensor<64x32xf32>
  } else {
    scf.yield %zero : tensor<64x32xf32>
  }
  // expected-error@+1 {{may meet positions past the end of a view here, but where the tile starts is computed in an inner block; compute the start of the load outside of it}}
  %max = tile.reduce max %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  tile.store %max, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// -----

tile.func @map_left(%y: !tile.view<[64, 32], i32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{is still there: run tile-vectorize-maps before tile-mask-tails}}
  %u = tile.map -> tensor<64x32xi32> {
  ^bb0(%i: i32, %j: i32):
    tile.yield %j : i32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xi32>, (!tile.view<[64, 32], i32>, i32, i32)
  tile.return
}

// -----

tile.func @other_region(%x: !tile.view<[64, N], f32>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{hides which axis of a tile reaches past the end of a view; use scf.if, scf.for or tile.for_blocks}}
  %t = scf.execute_region -> tensor<64x32xf32> {
    %inner = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
    scf.yield %inner : tensor<64x32xf32>
  }
  %max = tile.reduce max %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  tile.return
}
