// Every refusal of tile-to-warp, where it is seen: at the load, the product, the loop.
// RUN: lacuna-opt %s --tile-to-warp --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

tile.func @one_axis(%a: !tile.view<[M, 64], bf16>, %x: !tile.view<[M], bf16>, %y: !tile.view<[M, 1], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // expected-error@+1 {{a product's operand must be a slice of two axes, the innermost one among them}}
  %tx = tile.load %x[%c0] sizes [64] : (!tile.view<[M], bf16>, i32) -> tensor<64x1xbf16>
  %s = tile.dot %ta, %tx : tensor<64x64xbf16>, tensor<64x1xbf16> -> tensor<64x1xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 1] : tensor<64x1xf32>, (!tile.view<[M, 1], f32>, i32, i32)
  tile.return
}

// -----

tile.func @outer_axes(%a: !tile.view<[M, 64, 8], bf16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  // expected-error@+1 {{a product's operand must be a slice of two axes, the innermost one among them}}
  %ta = tile.load %a[%p, %c0, %c0] sizes [64, 64, 0] : (!tile.view<[M, 64, 8], bf16>, i32, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// -----

tile.func @one_column(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // expected-error@+1 {{a product's operand has tiles of 16 rows and columns or more, this load is 'tensor<64x1xbf16>'}}
  %tb = tile.load %b[%c0, %c0] sizes [64, 1] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x1xbf16>
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x1xbf16> -> tensor<64x1xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 1] : tensor<64x1xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// Rows along two axes count together.
tile.func @many_joined_rows(%a: !tile.view<[H, M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %y: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["H", "M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %tb = tile.load %b[%p, %c0] sizes [64, 272] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x272xbf16>
  // expected-error@+1 {{a product's operand has at most 256 rows on sm_90a, this load has 272; use a smaller tile}}
  %ta = tile.load %a[%c0, %p, %c0] sizes [17, 16, 64] : (!tile.view<[H, M, 64], bf16>, i32, i32, i32) -> tensor<272x64xbf16>
  %s = tile.dot %tb, %ta : tensor<64x272xbf16>, tensor<272x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @many_rows(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %b[%p, %c0] sizes [64, 272] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x272xbf16>
  // expected-error@+1 {{a product's operand has at most 256 rows on sm_90a, this load has 272; use a smaller tile}}
  %tb = tile.load %a[%c0, %c0] sizes [272, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<272x64xbf16>
  %s = tile.dot %ta, %tb : tensor<64x272xbf16>, tensor<272x64xbf16> -> tensor<64x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @many_columns(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %tb = tile.load %b[%c0, %c0] sizes [64, 320] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x320xbf16>
  // expected-error@+1 {{this product has 320 columns, sm_90a multiplies up to 256 at once; use a smaller tile}}
  %s = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x320xbf16> -> tensor<64x320xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 320] : tensor<64x320xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @conditional_load(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %even = arith.cmpi eq, %p, %c0 : i32
  // expected-note@+1 {{the condition is here}}
  scf.if %even {
    // expected-error@+1 {{a product's operand cannot be loaded under a condition; load it outside}}
    %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @rows_of_products(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // expected-note@+1 {{the other product is here}}
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %tl = tile.load %a[%p, %c0] sizes [128, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<128x64xbf16>
  // expected-error@+1 {{this product has 128 rows, another has 64; all products of a kernel must have the same}}
  %t = tile.dot %tl, %ta : tensor<128x64xbf16>, tensor<64x64xbf16> -> tensor<128x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.store %t, %y[%p, %c0] sizes [128, 64] : tensor<128x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @computed_operand(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %t = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xbf16>
  // expected-error@+1 {{the second operand of a product must be a loaded tile or its transpose on sm_90a; this one is computed. Exchange the operands, or store it and load it in another kernel}}
  %u = tile.dot %ta, %t : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %u, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// expected-error@+1 {{sm_90a computes tiles of 64, 128 or 192 rows, this kernel's have 32}}
tile.func @kernel_rows(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [32, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<32x64xbf16>
  %tb = tile.load %a[%c0, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %tb : tensor<32x64xbf16>, tensor<64x64xbf16> -> tensor<32x64xf32>
  tile.store %s, %y[%p, %c0] sizes [32, 64] : tensor<32x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// Without a product, the tallest tile that is stored counts.
// expected-error@+1 {{sm_90a computes tiles of 64, 128 or 192 rows, this kernel's have 256}}
tile.func @stored_rows(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %f[%p, %c0] sizes [256, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<256x64xf32>
  tile.store %ta, %y[%p, %c0] sizes [256, 64] : tensor<256x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// expected-error@+1 {{this kernel has no product and stores no tile, so nothing says how many rows sm_90a should compute at a time; store a tile of 64, 128 or 192 rows, or use the CPU}}
tile.func @no_tile(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %one = arith.constant 1.0 : f32
  tile.store %one, %z[%p] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}

// -----

tile.func @other_rows(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{this tile is 'tensor<128x1xi32>', but the kernel computes tiles of 64 rows; all must have the same}}
  %i = tile.iota : tensor<128x1xi32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @single(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{this tile is 'tensor<1x1xf32>', but the kernel computes tiles of 64 rows; all must have the same}}
  %o = arith.constant dense<1.0> : tensor<1x1xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @computed_place(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %all = tile.reduce add %s axes [0, 1] : tensor<64x64xf32> -> f32
  %at = arith.fptosi %all : f32 to i32
  // expected-error@+1 {{where this tile lies depends on a computed tile; the copies run ahead of the computation and cannot know it}}
  %tb = tile.load %a[%at, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %u = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %u, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @computed_column(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %all = tile.reduce add %s axes [0, 1] : tensor<64x64xf32> -> f32
  %c8 = arith.constant 8 : i32
  %chunk = arith.fptosi %all : f32 to i32
  %at = arith.muli %chunk, %c8 : i32
  // expected-error@+1 {{where this tile lies depends on a computed tile; the copies run ahead of the computation and cannot know it}}
  %tb = tile.load %b[%c0, %at] sizes [64, 64] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %u = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %u, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// A carried scalar that starts as a tile's value.
tile.func @computed_start(%a: !tile.view<[M, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %p = tile.program_id 0
  %n = tile.dim "N"
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %all = tile.reduce add %s axes [0, 1] : tensor<64x64xf32> -> f32
  %start = arith.fptosi %all : f32 to i32
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %s, %at = %start) -> (tensor<64x64xf32>, i32) : i32 {
    // expected-error@+1 {{where this tile lies depends on a computed tile; the copies run ahead of the computation and cannot know it}}
    %tb = tile.load %a[%at, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %u = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %next = arith.addi %at, %c1 : i32
    scf.yield %u, %next : tensor<64x64xf32>, i32
  }
  tile.store %r#0, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// -----

tile.func @computed_bounds(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %all = tile.reduce add %s axes [0, 1] : tensor<64x64xf32> -> f32
  %at = arith.fptosi %all : f32 to i32
  %c64 = arith.constant 64 : i32
  // expected-error@+1 {{the bounds of a loop that loads a product's operand depend on a computed tile; the copies run ahead of the computation and cannot know them}}
  scf.for %i = %c0 to %at step %c64 : i32 {
    %tb = tile.load %a[%i, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %u = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %u, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @narrow_blocks(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
    // expected-error@+1 {{listed blocks of 32 columns cannot share a step on sm_90a; use blocks of a multiple of 64, or steps of one block}}
    %tb = tile.load %b[%p, %t] sizes [64, 64] : (!tile.view<[M, N], bf16>, i32, !tile.positions<64>) -> tensor<64x64xbf16>
    %s = tile.dot %tb, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @computed_row(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %n = tile.dim "N"
  %c1 = arith.constant 1 : i32
  scf.for %i = %c0 to %n step %c1 : i32 {
    // expected-error@+1 {{the row of a sparse loop must follow from the program's place in the grid alone on sm_90a; this one is computed inside another loop, or from a tile; compute it before all loops}}
    tile.for_blocks %t in %rows[%c0, %c0, %i] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
      %tb = tile.load %a[%t, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
      %s = tile.dot %tb, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
      tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
    }
  }
  tile.return
}

// -----

tile.func @loaded_rows(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{a loaded tile that is computed with must have the kernel's 64 rows, this one is 'tensor<128x64xf32>'}}
  %tf = tile.load %f[%p, %c0] sizes [128, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<128x64xf32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.store %tf, %y[%p, %c0] sizes [128, 64] : tensor<128x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @loaded_element(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{a loaded tile that is computed with must have the kernel's 64 rows, this one is 'tensor<1x1xf32>'}}
  %tf = tile.load %f[%p, %c0] sizes [1, 1] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<1x1xf32>
  %all = tile.broadcast %tf : tensor<1x1xf32> -> tensor<64x64xf32>
  tile.store %all, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @listed_tile(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
    // expected-error@+1 {{a tile of listed positions can only be an operand of a product on sm_90a}}
    %tf = tile.load %f[%t, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, !tile.positions<64>, i32) -> tensor<64x64xf32>
    tile.store %tf, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @listed_vector(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
    %tf = tile.load %v[%t] sizes [64] : (!tile.view<[M], f32>, !tile.positions<64>) -> tensor<64x1xf32>
    // expected-error@+1 {{a vector of listed positions cannot be loaded on sm_90a}}
    %ft = tile.transpose %tf : tensor<64x1xf32> -> tensor<1x64xf32>
    %fb = tile.broadcast %ft : tensor<1x64xf32> -> tensor<64x64xf32>
    tile.store %fb, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  }
  tile.return
}

// -----

tile.func @computed_transpose(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{only a loaded tile that feeds a product, or a loaded vector, can be transposed on sm_90a; this one is 'tensor<64x64xf32>'}}
  %st = tile.transpose %s : tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %st, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @loaded_transpose(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %tf = tile.load %f[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  // expected-error@+1 {{only a loaded tile that feeds a product, or a loaded vector, can be transposed on sm_90a; this one is 'tensor<64x64xf32>'}}
  %st = tile.transpose %tf : tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %st, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// Nor are rows along two axes one.
tile.func @joined_transpose(%f: !tile.view<[H, M], f32>, %y: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["H", "M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %tf = tile.load %f[%c0, %p] sizes [4, 16] : (!tile.view<[H, M], f32>, i32, i32) -> tensor<64x1xf32>
  // expected-error@+1 {{only a loaded tile that feeds a product, or a loaded vector, can be transposed on sm_90a; this one is 'tensor<64x1xf32>'}}
  %ft = tile.transpose %tf : tensor<64x1xf32> -> tensor<1x64xf32>
  %fb = tile.broadcast %ft : tensor<1x64xf32> -> tensor<64x64xf32>
  tile.store %fb, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// A column of a matrix is no vector: its elements lie apart.
tile.func @column_transpose(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %tf = tile.load %f[%p, %c0] sizes [64, 1] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x1xf32>
  // expected-error@+1 {{only a loaded tile that feeds a product, or a loaded vector, can be transposed on sm_90a; this one is 'tensor<64x1xf32>'}}
  %ft = tile.transpose %tf : tensor<64x1xf32> -> tensor<1x64xf32>
  %fb = tile.broadcast %ft : tensor<1x64xf32> -> tensor<64x64xf32>
  tile.store %fb, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @row_axis(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{a reduction along the rows of a tile (axis 0) is not supported on sm_90a; compute the transposed tile and reduce along its columns}}
  %m = tile.reduce max %s axes [0] : tensor<64x64xf32> -> tensor<1x64xf32>
  %mb = tile.broadcast %m : tensor<1x64xf32> -> tensor<64x64xf32>
  tile.store %mb, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @uneven_constant(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{a constant tile must hold one value on sm_90a}}
  %w = arith.constant dense<"0x000000000000000100000002000000030000000400000005000000060000000700000008000000090000000a0000000b0000000c0000000d0000000e0000000f000000100000001100000012000000130000001400000015000000160000001700000018000000190000001a0000001b0000001c0000001d0000001e0000001f000000200000002100000022000000230000002400000025000000260000002700000028000000290000002a0000002b0000002c0000002d0000002e0000002f000000300000003100000032000000330000003400000035000000360000003700000038000000390000003a0000003b0000003c0000003d0000003e0000003f"> : tensor<64x1xi32>
  tile.store %s, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

tile.func @position_outside_map(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
    // expected-error@+1 {{uses the positions of a list outside a tile.map; this is not supported on sm_90a}}
    %at = tile.position_at %t, %c0 : !tile.positions<64>
    %first = arith.sitofp %at : i32 to f32
    tile.store %first, %z[%p] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  }
  tile.return
}

// -----

tile.func @listed_store(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %n = tile.dim "N"
  tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n : !tile.blocks<64, 32, [1, 1]> {
    // expected-error@+1 {{storing to listed positions is not supported on sm_90a}}
    tile.store %s, %y[%p, %t] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, !tile.positions<64>)
  }
  tile.return
}

// -----

tile.func @map(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[M, N], bf16>, %f: !tile.view<[M, 64], f32>, %v: !tile.view<[M], f32>,
    %rows: !tile.blocks<64, 32, [1, 1]>, %y: !tile.view<[M, N], f32> {tile.output}, %z: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // expected-error@+1 {{is not supported on sm_90a}}
  %u = tile.map %s : tensor<64x64xf32> -> tensor<64x64xf32> {
  ^bb0(%e: f32, %i: i32, %j: i32):
    tile.yield %e : f32
  }
  tile.store %u, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// Three consumers start with 128 registers a thread: a product of 192 columns has them, one of 208 has not.
tile.func @wide_product(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %p = tile.program_id 0
  %ta = tile.load %a[%p, %c0] sizes [192, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<192x64xbf16>
  %tb = tile.load %b[%c0, %c0] sizes [192, 64] : (!tile.view<[N, 64], bf16>, i32, i32) -> tensor<192x64xbf16>
  %tt = tile.transpose %tb : tensor<192x64xbf16> -> tensor<64x192xbf16>
  %s = tile.dot %ta, %tt : tensor<192x64xbf16>, tensor<64x192xbf16> -> tensor<192x192xf32>
  tile.store %s, %y[%p, %c0] sizes [192, 192] : tensor<192x192xf32>, (!tile.view<[M, N], f32>, i32, i32)
  %wb = tile.load %b[%c0, %c0] sizes [208, 64] : (!tile.view<[N, 64], bf16>, i32, i32) -> tensor<208x64xbf16>
  %wt = tile.transpose %wb : tensor<208x64xbf16> -> tensor<64x208xbf16>
  // expected-error@+1 {{this product of 208 columns takes 130 registers of a thread, and with 3 consumer warpgroups each starts with 128, the most that ptxas gives an instruction; take fewer columns or fewer rows}}
  %w = tile.dot %ta, %wt : tensor<192x64xbf16>, tensor<64x208xbf16> -> tensor<192x208xf32>
  tile.store %w, %y[%p, %c0] sizes [192, 208] : tensor<192x208xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}
