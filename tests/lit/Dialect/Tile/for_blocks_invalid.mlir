// Every refusal of tile.for_blocks and of its positions.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

func.func @step(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  // expected-error@+1 {{step must be a multiple of 16, got 24}}
  tile.for_blocks %t in %rows[%i, %i, %i] step 24 limit %i : !tile.blocks<128, 64, [1, 1]> {
  }
  return
}

// -----

func.func @fit(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  // expected-error@+1 {{the list's blocks of 64 keys do not fit steps of 48: one must divide the other}}
  tile.for_blocks %t in %rows[%i, %i, %i] step 48 limit %i : !tile.blocks<128, 64, [1, 1]> {
  }
  return
}

// -----

func.func @arguments(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  // expected-error@+1 {{the body takes '!tile.positions<64>' and the 0 carried values}}
  "tile.for_blocks"(%rows, %i, %i, %i, %i) <{operandSegmentSizes = array<i32: 1, 3, 1, 0>, step = 64 : i64}> ({
  ^bb0(%t: !tile.positions<32>):
    tile.yield
  }) : (!tile.blocks<128, 64, [1, 1]>, i32, i32, i32, i32) -> ()
  return
}

// -----

func.func @yields(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  // expected-error@+1 {{carries 1 values, yields 2 and has 1 results}}
  %r = tile.for_blocks %t in %rows[%i, %i, %i] step 64 limit %i init(%a = %i) : !tile.blocks<128, 64, [1, 1]>, i32 {
    tile.yield %a, %a : i32, i32
  }
  return
}

// -----

func.func @types(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32, %x: f32) {
  // expected-error@+1 {{carried value 0 changes its type: starts as 'i32', is 'i32' in the body, yielded as 'f32', ends as 'i32'}}
  %r = tile.for_blocks %t in %rows[%i, %i, %i] step 64 limit %i init(%a = %i) : !tile.blocks<128, 64, [1, 1]>, i32 {
    tile.yield %x : f32
  }
  return
}

// -----

func.func @positions(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  tile.for_blocks %t in %rows[%i, %i, %i] step 64 limit %i : !tile.blocks<128, 64, [1, 1]> {
    // expected-error@+1 {{result must be 'tensor<1x64xi32>', got 'tensor<64x1xi32>'}}
    %k = tile.key_positions %t : !tile.positions<64> -> tensor<64x1xi32>
  }
  return
}

// -----

tile.func @carried_positions(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) attributes {dims = [], grid = ["1"]} {
  tile.for_blocks %t in %rows[%i, %i, %i] step 64 limit %i : !tile.blocks<128, 64, [1, 1]> {
    // expected-note@+1 {{the positions come from here}}
    %r = tile.for_blocks %u in %rows[%i, %i, %i] step 64 limit %i init(%old = %t) : !tile.blocks<128, 64, [1, 1]>, !tile.positions<64> {
      // expected-error@+1 {{uses positions that are not those of a tile.for_blocks around it; use the loop's first block argument, uncarried and unselected}}
      %p = tile.is_partial %old : !tile.positions<64>
      tile.yield %u : !tile.positions<64>
    }
  }
  tile.return
}

// -----

func.func @list_without_place(%rows: !tile.blocks<128, 64, [1, 1]>, %i: i32) {
  // expected-error@+1 {{takes a batch, a head and a row of the list, got 0 indices}}
  tile.for_blocks %t in %rows step 64 limit %i : !tile.blocks<128, 64, [1, 1]> {
  }
  return
}

// -----

func.func @bands_with_place(%i: i32) {
  %row = tile.bands (%i to %i all %i to %i) : !tile.bands<64>
  // expected-error@+1 {{takes no place in bands, which are those of one row, got 3 indices}}
  tile.for_blocks %t in %row[%i, %i, %i] step 64 limit %i : !tile.bands<64> {
  }
  return
}

// -----

func.func @bands_from_elsewhere(%row: !tile.bands<64>, %i: i32) {
  // expected-error@+1 {{runs over bands that do not come straight from a tile.bands}}
  tile.for_blocks %t in %row step 64 limit %i : !tile.bands<64> {
  }
  return
}

// -----

func.func @bands_fit(%i: i32) {
  %row = tile.bands (%i to %i all %i to %i) : !tile.bands<64>
  // expected-error@+1 {{the list's blocks of 64 keys do not fit steps of 48: one must divide the other}}
  tile.for_blocks %t in %row step 48 limit %i : !tile.bands<64> {
  }
  return
}
