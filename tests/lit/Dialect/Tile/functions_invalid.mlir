// Every refusal of functions, hooks and maps.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// expected-error@+1 {{a kernel returns nothing; it stores its results}}
tile.func @result() -> f32 attributes {dims = [], grid = ["1"]} {
  %x = arith.constant 0.0 : f32
  tile.return %x : f32
}

// -----

// expected-error@+1 {{a grid has 1 to 3 axes, got 0}}
tile.func @no_grid() attributes {dims = [], grid = []} {
  tile.return
}

// -----

// expected-error@+1 {{a grid has 1 to 3 axes, got 4}}
tile.func @large_grid() attributes {dims = [], grid = ["1", "1", "1", "1"]} {
  tile.return
}

// -----

// expected-error@+1 {{argument 1 has the extent "N", which is not among the run-time dimensions ["M"]}}
tile.func @unknown_extent(%a: f32, %x: !tile.view<[M, N], f32>) attributes {dims = ["M"], grid = ["1"]} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 has the extent "H", which is not among the run-time dimensions ["M"]}}
tile.func @unknown_list_extent(%x: !tile.blocks<64, 64, [1, H]>) attributes {dims = ["M"], grid = ["1"]} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 must be a view, a block list, f32 or i32, got 'i64'}}
tile.func @argument_type(%x: i64) attributes {dims = [], grid = ["1"]} {
  tile.return
}

// -----

tile.func @shared_store(%y: !tile.view<[M], f32> {tile.output}, %v: f32) attributes {dims = ["M", "H"], grid = ["M", "H"]} {
  %p = tile.program_id 0
  // expected-error@+1 {{programs that differ only in grid axis 1 would store to the same place: its coordinates do not depend on tile.program_id 1}}
  tile.store %v, %y[%p] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

tile.func @shared_by_quotient(%y: !tile.view<[M], f32> {tile.output}, %v: f32) attributes {dims = ["M"], grid = ["M"]} {
  %p = tile.program_id 0
  %c2 = arith.constant 2 : i32
  %half = arith.divsi %p, %c2 : i32
  // expected-error@+1 {{programs that differ only in grid axis 0 would store to the same place}}
  tile.store %v, %y[%half] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

// expected-error@+1 {{a hook has exactly one result, got 2}}
tile.hook @two_results(%x: f32) -> (f32, f32) {
  tile.return %x, %x : f32, f32
}

// -----

// expected-note@+1 {{in hook 'impure'}}
tile.hook @impure(%x: !tile.view<[64], f32>, %i: i32) -> f32 {
  // expected-error@+1 {{is not allowed in a hook: a hook is a pure function of its arguments}}
  %t = tile.load %x[%i] sizes [16] : (!tile.view<[64], f32>, i32) -> tensor<16x1xf32>
  %y = arith.constant 0.0 : f32
  tile.return %y : f32
}

// -----

// expected-error@+1 {{'first' calls itself; hooks are not recursive}}
tile.hook @first(%x: f32) -> f32 {
  %y = tile.call_hook @second(%x) : (f32) -> f32
  tile.return %y : f32
}
tile.hook @second(%x: f32) -> f32 {
  %y = tile.call_hook @first(%x) : (f32) -> f32
  tile.return %y : f32
}

// -----

tile.hook @caller(%x: f32) -> f32 {
  // expected-error@+1 {{there is no hook named 'missing'}}
  %y = tile.call_hook @missing(%x) : (f32) -> f32
  tile.return %y : f32
}

// -----

// expected-note@+1 {{the hook is here}}
tile.hook @callee(%x: f32) -> f32 {
  tile.return %x : f32
}
tile.hook @caller(%x: i32) -> f32 {
  // expected-error@+1 {{is called as '(i32) -> f32', but the hook is '(f32) -> f32'}}
  %y = tile.call_hook @callee(%x) : (i32) -> f32
  tile.return %y : f32
}

// -----

tile.hook @returns(%x: f32) -> i32 {
  // expected-error@+1 {{returns 'f32', but the function's results are 'i32'}}
  tile.return %x : f32
}

// -----

tile.func @axis() attributes {dims = [], grid = ["1", "1"]} {
  // expected-error@+1 {{axis 2 is outside the grid of 2 axes}}
  %p = tile.program_id 2
  tile.return
}

// -----

// expected-note@+1 {{the kernel's dimensions are ["M"]}}
tile.func @dimension() attributes {dims = ["M"], grid = ["1"]} {
  // expected-error@+1 {{names 'N', which is no run-time dimension of the kernel}}
  %n = tile.dim "N"
  tile.return
}

// -----

tile.func @map_arguments(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the body takes one scalar for each of the 0 inputs, then row and column, got 1 arguments}}
  %u = tile.map -> tensor<64x64xi32> {
  ^bb0(%i: i32):
    tile.yield %i : i32
  }
  tile.return
}

// -----

tile.func @map_extents(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %t = arith.constant dense<0.0> : tensor<64x1xf32>
  // expected-error@+1 {{input 0 must have the result's extents, got 'tensor<64x1xf32>' and 'tensor<64x64xf32>'}}
  %u = tile.map %t : tensor<64x1xf32> -> tensor<64x64xf32> {
  ^bb0(%a: f32, %i: i32, %j: i32):
    tile.yield %a : f32
  }
  tile.return
}

// -----

tile.func @map_argument_type(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %t = arith.constant dense<0.0> : tensor<64x64xf32>
  // expected-error@+1 {{argument 0 of the body must be 'f32', got 'bf16'}}
  %u = tile.map %t : tensor<64x64xf32> -> tensor<64x64xbf16> {
  ^bb0(%a: bf16, %i: i32, %j: i32):
    tile.yield %a : bf16
  }
  tile.return
}

// -----

tile.func @map_index_type(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the row and column arguments must be i32, got 'f32'}}
  %u = tile.map -> tensor<64x64xf32> {
  ^bb0(%i: i32, %j: f32):
    tile.yield %j : f32
  }
  tile.return
}

// -----

tile.func @map_yield(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the body must yield one 'f32'}}
  %u = tile.map -> tensor<64x64xf32> {
  ^bb0(%i: i32, %j: i32):
    tile.yield %j : i32
  }
  tile.return
}

// -----

tile.func @map_effect(%y: !tile.view<[64, 64], f32>, %v: f32) attributes {dims = [], grid = ["1"]} {
  %u = tile.map -> tensor<64x64xi32> {
  ^bb0(%i: i32, %j: i32):
    // expected-error@+1 {{has a side effect; the body of a tile.map is pure}}
    tile.store %v, %y[%i, %j] sizes [0, 0] : f32, (!tile.view<[64, 64], f32>, i32, i32)
    tile.yield %j : i32
  }
  tile.return
}
