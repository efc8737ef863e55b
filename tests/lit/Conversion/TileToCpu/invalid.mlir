// What the CPU backend refuses, at its place.
// RUN: lacuna-opt %s -split-input-file -verify-diagnostics -tile-to-cpu

tile.func @map(%x: !tile.view<[M, 32], f32>, %y: !tile.view<[M, 32], f32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 32] : (!tile.view<[M, 32], f32>, i32, i32) -> tensor<32x32xf32>
  // expected-error @below {{'tile.map' op must be gone before the CPU backend; run tile-inline-hooks and tile-vectorize-maps first}}
  %r = tile.map %t : tensor<32x32xf32> -> tensor<32x32xf32> {
  ^bb0(%v: f32, %i: i32, %j: i32):
    tile.yield %v : f32
  }
  tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[M, 32], f32>, i32, i32)
  tile.return
}

// -----

// expected-error @below {{'tile.hook' op is still there; run tile-inline-hooks before the CPU backend}}
tile.hook @identity(%x: f32) -> f32 {
  tile.return %x : f32
}

// -----

tile.func @power(%x: !tile.view<[M], f32>, %y: !tile.view<[M], f32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0] sizes [32] : (!tile.view<[M], f32>, i32) -> tensor<32x1xf32>
  // expected-error @below {{'math.powf' op is not supported by the CPU backend; it lowers the tile dialect, scf.for, scf.if}}
  %r = math.powf %t, %t : tensor<32x1xf32>
  tile.store %r, %y[%c0] sizes [32] : tensor<32x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

tile.func @loop(%y: !tile.view<[M], f32> {tile.output}, %s: f32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error @below {{'scf.while' op is not supported by the CPU backend}}
  %r = scf.while (%i = %c0) : (i32) -> i32 {
    %t = arith.constant false
    scf.condition(%t) %i : i32
  } do {
  ^bb0(%i: i32):
    scf.yield %i : i32
  }
  tile.store %s, %y[%r] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

tile.func @constant(%y: !tile.view<[16], i32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error @below {{'arith.constant' op has elements that differ; the CPU backend supports tiles of one repeated constant}}
  %t = arith.constant dense<[[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15], [16]]> : tensor<16x1xi32>
  tile.store %t, %y[%c0] sizes [16] : tensor<16x1xi32>, (!tile.view<[16], i32>, i32)
  tile.return
}

// -----

tile.func @double(%y: !tile.view<[M], f32> {tile.output}, %s: f32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error @below {{'arith.extf' op has the type 'f64'; the CPU backend supports f32, f16, bf16, i32 and i1}}
  %d = arith.extf %s : f32 to f64
  %r = arith.truncf %d : f64 to f32
  tile.store %r, %y[%c0] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

// expected-error @below {{needs 1280 MiB of tiles at once, the CPU backend gives each thread at most 1024 MiB; choose smaller tiles}}
tile.func @huge(%x: !tile.view<[M, N], f32>, %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [16384, 20480] : (!tile.view<[M, N], f32>, i32, i32) -> tensor<16384x20480xf32>
  tile.store %t, %y[%c0, %c0] sizes [16384, 20480] : tensor<16384x20480xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}
