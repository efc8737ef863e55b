// Every refusal of tile.bands and of its type.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

func.func @none() {
  // expected-error@+1 {{takes one to 4 bands of 4 bounds each, got 0 bounds}}
  %row = "tile.bands"() : () -> !tile.bands<64>
  return
}

// -----

func.func @half(%i: i32) {
  // expected-error@+1 {{takes one to 4 bands of 4 bounds each, got 6 bounds}}
  %row = "tile.bands"(%i, %i, %i, %i, %i, %i) : (i32, i32, i32, i32, i32, i32) -> !tile.bands<64>
  return
}

// -----

func.func @five(%i: i32) {
  // expected-error@+1 {{takes one to 4 bands of 4 bounds each, got 20 bounds}}
  %row = tile.bands (%i to %i all %i to %i), (%i to %i all %i to %i), (%i to %i all %i to %i), (%i to %i all %i to %i), (%i to %i all %i to %i) : !tile.bands<64>
  return
}

// -----

func.func @block(%i: i32) {
  // expected-error@+1 {{a block of keys is a positive multiple of 16, got 24}}
  %row = tile.bands (%i to %i all %i to %i) : !tile.bands<24>
  return
}

// -----

func.func @no_all(%i: i32) {
  // expected-error@+1 {{expected 'all'}}
  %row = tile.bands (%i to %i) : !tile.bands<64>
  return
}

// -----

// expected-error@+1 {{argument 0 must be a view, a block list, f32 or i32, got '!tile.bands<64>'}}
tile.func @argument(%row: !tile.bands<64>) attributes {dims = ["N"], grid = ["1"]} {
  tile.return
}
