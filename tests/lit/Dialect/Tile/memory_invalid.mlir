// Every refusal of the types, of tile.load and of tile.store.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// expected-error@+1 {{a view has 1 to 5 axes, got 6}}
tile.func @rank(%x: !tile.view<[A, B, C, D, E, F], f32>) attributes {dims = [], grid = ["1"]} {
}

// -----

// expected-error@+1 {{a view's elements are f32, f16, bf16 or i32, got 'f64'}}
tile.func @element(%x: !tile.view<[A], f64>) attributes {dims = [], grid = ["1"]} {
}

// -----

// expected-error@+1 {{extent 1 must be a positive integer or the name of a run-time dimension, got 0}}
tile.func @extent(%x: !tile.view<[A, 0], f32>) attributes {dims = [], grid = ["1"]} {
}

// -----

// expected-error@+1 {{a list's block is a positive multiple of 16, got 24}}
tile.func @list_block(%x: !tile.blocks<64, 24, [1, 1]>) attributes {dims = [], grid = ["1"]} {
}

// -----

// expected-error@+1 {{a block list has a batch and a head extent, got 1 extents}}
tile.func @list_extents(%x: !tile.blocks<64, 64, [1]>) attributes {dims = [], grid = ["1"]} {
}

// -----

tile.func @indices(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{needs one index and one size for each of the view's 2 axes, got 1 indices and 2 sizes}}
  %t = tile.load %x[%c0] sizes [64, 64] : (!tile.view<[64, 64], f32>, i32) -> tensor<64x64xf32>
  tile.return
}

// -----

tile.func @size(%x: !tile.view<[64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{size of axis 1 must be 0, 1 or a multiple of 16, got 24}}
  %t = tile.load %x[%c0, %c0] sizes [64, 24] : (!tile.view<[64, 64], f32>, i32, i32) -> tensor<64x24xf32>
  tile.return
}

// -----

tile.func @positions(%x: !tile.view<[N, 64], f32>, %rows: !tile.blocks<64, 64, [1, 1]>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %c0 : !tile.blocks<64, 64, [1, 1]> {
    // expected-error@+1 {{size of axis 0 must be the 64 positions of its index, got 32}}
    %u = tile.load %x[%t, %c0] sizes [32, 64] : (!tile.view<[N, 64], f32>, !tile.positions<64>, i32) -> tensor<32x64xf32>
  }
  tile.return
}

// -----

tile.func @element_type(%x: !tile.view<[64], f32>, %v: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{a single element of the view is 'f32', got 'i32'}}
  tile.store %v, %x[%c0] sizes [0] : i32, (!tile.view<[64], f32>, i32)
  tile.return
}

// -----

tile.func @sliced_axes(%x: !tile.view<[4, 4, 64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{a tile has one or two sliced axes for its rows and one for its columns, got 4}}
  %t = tile.load %x[%c0, %c0, %c0, %c0] sizes [4, 4, 4, 64] : (!tile.view<[4, 4, 64, 64], f32>, i32, i32, i32, i32) -> tensor<64x64xf32>
  tile.return
}

// -----

tile.func @joined_count(%x: !tile.view<[4, 64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{axes 0 and 1 make 3 x 7 rows; it must be 1 or a multiple of 16}}
  %t = tile.load %x[%c0, %c0, %c0] sizes [3, 7, 64] : (!tile.view<[4, 64, 64], f32>, i32, i32, i32) -> tensor<21x64xf32>
  tile.return
}

// -----

tile.func @joined_neighbours(%x: !tile.view<[4, 2, 64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{two axes that make a tile's rows are neighbours, got 0 and 2}}
  %t = tile.load %x[%c0, %c0, %c0, %c0] sizes [4, 0, 16, 64] : (!tile.view<[4, 2, 64, 64], f32>, i32, i32, i32, i32) -> tensor<64x64xf32>
  tile.return
}

// -----

tile.func @joined_positions(%x: !tile.view<[4, N, 64], f32>, %rows: !tile.blocks<64, 64, [1, 1]>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %c0 : !tile.blocks<64, 64, [1, 1]> {
    // expected-error@+1 {{listed positions make rows alone, not together with another axis}}
    %u = tile.load %x[%c0, %t, %c0] sizes [4, 64, 64] : (!tile.view<[4, N, 64], f32>, i32, !tile.positions<64>, i32) -> tensor<256x64xf32>
  }
  tile.return
}

// -----

tile.func @joined_type(%x: !tile.view<[4, 64, 64], f32>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{accesses 'tensor<64x64xf32>' of the view, but the value is 'tensor<16x64xf32>'}}
  %t = tile.load %x[%c0, %c0, %c0] sizes [4, 16, 64] : (!tile.view<[4, 64, 64], f32>, i32, i32, i32) -> tensor<16x64xf32>
  tile.return
}

// -----

tile.func @value_type(%x: !tile.view<[64, 64], bf16>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{accesses 'tensor<64x64xbf16>' of the view, but the value is 'tensor<64x64xf32>'}}
  %t = tile.load %x[%c0, %c0] sizes [64, 64] : (!tile.view<[64, 64], bf16>, i32, i32) -> tensor<64x64xf32>
  tile.return
}
