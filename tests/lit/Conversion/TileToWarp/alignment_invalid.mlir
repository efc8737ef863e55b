// A copy that starts past the end of the innermost axis elsewhere than at a multiple of 16 bytes is an illegal instruction on
// the GPU: a start that is not known to be one is refused.
// RUN: lacuna-opt %s --tile-to-warp --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

tile.func @constant(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c12 = arith.constant 12 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a, this one at 12}}
  %tb = tile.load %b[%c0, %c12] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @negative(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %before = arith.constant -4 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a, this one at -4}}
  %tb = tile.load %b[%c0, %before] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @argument(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 1. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %x] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @dimension(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %n = tile.dim "N"
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 1. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %n] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @place(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 1. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %p] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @product(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c4 = arith.constant 4 : i32
  %x4 = arith.muli %x, %c4 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 4. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %x4] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @sum(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c8 = arith.constant 8 : i32
  %c2 = arith.constant 2 : i32
  %x8 = arith.muli %x, %c8 : i32
  %off = arith.addi %x8, %c2 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 2. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %off] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @quotient(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c16 = arith.constant 16 : i32
  %c4 = arith.constant 4 : i32
  %x16 = arith.muli %x, %c16 : i32
  %part = arith.divsi %x16, %c4 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 4. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %part] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @inexact(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c3 = arith.constant 3 : i32
  %c16 = arith.constant 16 : i32
  %x16 = arith.muli %x, %c16 : i32
  %part = arith.divsi %x16, %c3 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 1. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %part] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @choice(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
    %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %c8 = arith.constant 8 : i32
  %c6 = arith.constant 6 : i32
  %even = arith.cmpi eq, %p, %c0 : i32
  %one = arith.select %even, %c8, %c6 : i32
  // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 2. Write it as a product with 8, such as 8 * x}}
  %tb = tile.load %b[%c0, %one] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// The first trip starts at a multiple of 8, the second does not.
tile.func @loop(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %y: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c20 = arith.constant 20 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r = scf.for %k = %c0 to %n step %c20 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 4. Write it as a product with 8, such as 8 * x}}
    %tk = tile.load %b[%c0, %k] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %tk acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// What one carried value loses, the other loses a trip later.
tile.func @carried(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %y: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c16 = arith.constant 16 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %u = %c16, %v = %c16) -> (tensor<64x64xf32>, i32, i32) : i32 {
    // expected-error@+1 {{a product's operand starts at a multiple of 8 elements (16 bytes) of the innermost axis on sm_90a; this one's start is only known to be a multiple of 4. Write it as a product with 8, such as 8 * x}}
    %tk = tile.load %b[%c0, %u] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %tk acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %w = arith.addi %v, %c4 : i32
    scf.yield %s, %v, %w : tensor<64x64xf32>, i32, i32
  }
  tile.store %r#0, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}
