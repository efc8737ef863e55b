// Every refusal of the types !warp.ring and !warp.smem.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @depth() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a ring has 1 to 8 slots, got 9}}
  %r = warp.ring_create "r" : !warp.ring<9, 64, 64, bf16>
  warp.return
}

// -----

warp.func @no_slot() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a ring has 1 to 8 slots, got 0}}
  %r = warp.ring_create "r" : !warp.ring<0, 64, 64, bf16>
  warp.return
}

// -----

warp.func @rows() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a shared tile's rows are a multiple of 16 up to 256, got 272}}
  %r = warp.ring_create "r" : !warp.ring<1, 272, 64, bf16>
  warp.return
}

// -----

warp.func @columns() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a shared tile's columns are a multiple of 16, got 8}}
  %r = warp.ring_create "r" : !warp.ring<1, 64, 8, bf16>
  warp.return
}

// -----

warp.func @element() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a shared tile's elements are bf16 or f16, got 'f32'}}
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, f32>
  warp.return
}

// -----

warp.func @shared_tile_rows() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a shared tile that consumers write has 64 rows for each of them, got 80}}
  %t = warp.smem_create "o" : !warp.smem<80, 64, bf16>
  warp.return
}

// -----

warp.func @shared_tile_columns() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a shared tile's columns are a multiple of 16, got 72}}
  %t = warp.smem_create "o" : !warp.smem<64, 72, bf16>
  warp.return
}
