// Tiles loaded as slices of a view: known and run-time ends, both axes, contractions.
// RUN: lacuna-opt %s --tile-mask-tails | FileCheck %s
// RUN: lacuna-opt %s --tile-mask-tails --tile-mask-tails | FileCheck %s

// 72 columns in a tile of 80: known, so no branch. Zeros do no harm to a sum, but to a maximum.
// CHECK-LABEL: tile.func @known_end
tile.func @known_end(%x: !tile.view<[64, 72], f32>, %y: !tile.view<[64], f32> {tile.output},
                     %z: !tile.view<[64], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // CHECK: %[[X:.*]] = tile.load
  %t = tile.load %x[%c0, %c0] sizes [64, 80] : (!tile.view<[64, 72], f32>, i32, i32) -> tensor<64x80xf32>
  // CHECK-NEXT: tile.reduce add %[[X]] axes [1]
  %sum = tile.reduce add %t axes [1] : tensor<64x80xf32> -> tensor<64x1xf32>
  // CHECK-NEXT: %[[J:.*]] = tile.iota : tensor<1x80xi32>
  // CHECK: %[[ENDS:.*]] = arith.constant dense<72> : tensor<1x80xi32>
  // CHECK-NEXT: %[[COUNTS:.*]] = arith.cmpi slt, %[[J]], %[[ENDS]]
  // CHECK-NEXT: %[[BITS:.*]] = tile.broadcast %[[COUNTS]]
  // CHECK-NEXT: %[[INF:.*]] = arith.constant dense<0x7F800000> : tensor<64x80xf32>
  // CHECK-NEXT: %[[M:.*]] = arith.select %[[BITS]], %[[X]], %[[INF]]
  // CHECK-NEXT: tile.reduce min %[[M]]
  %min = tile.reduce min %t axes [1] : tensor<64x80xf32> -> tensor<64x1xf32>
  tile.store %sum, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.store %min, %z[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// Rows from a run-time start: `limit - start < extent` tells whether the tile reaches past the end.
// CHECK-LABEL: tile.func @full_reduction
tile.func @full_reduction(%x: !tile.view<[M, 72], f32>, %y: !tile.view<[P], f32> {tile.output})
    attributes {dims = ["M", "P"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %p = tile.program_id 0
  // CHECK: %[[START:.*]] = arith.muli
  %r = arith.muli %p, %c64 : i32
  // CHECK: %[[X:.*]] = tile.load
  %t = tile.load %x[%r, %c0] sizes [64, 80] : (!tile.view<[M, 72], f32>, i32, i32) -> tensor<64x80xf32>
  // CHECK: %[[END:.*]] = tile.dim "M"
  // CHECK: %[[LEFT:.*]] = arith.subi %[[END]], %[[START]] : i32
  // CHECK: %[[PAST:.*]] = arith.cmpi slt, %[[LEFT]], %c64
  // CHECK: %[[ROWS:.*]] = scf.if %[[PAST]]
  // CHECK: tile.iota : tensor<64x1xi32>
  // CHECK: arith.cmpi slt, {{.*}} : tensor<64x1xi32>
  // CHECK: tile.iota : tensor<1x80xi32>
  // CHECK: %[[BOTH:.*]] = arith.select %{{.*}}, %[[ROWS]], %{{.*}} : tensor<64x80xi1>, tensor<64x80xf32>
  // CHECK-NEXT: tile.reduce max %[[BOTH]] axes [0, 1]
  %max = tile.reduce max %t axes [0, 1] : tensor<64x80xf32> -> f32
  tile.store %max, %y[%p] sizes [0] : f32, (!tile.view<[P], f32>, i32)
  tile.return
}

// What fits needs nothing: known start and end, or an axis that is not reduced.
// CHECK-LABEL: tile.func @nothing_to_do
// CHECK-NOT: arith.select
// CHECK: tile.return
tile.func @nothing_to_do(%x: !tile.view<[M, 96], f32>, %y: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
  %c64 = arith.constant 64 : i32
  %c16 = arith.constant 16 : i32
  %p = tile.program_id 0
  %r = arith.muli %p, %c64 : i32
  %t = tile.load %x[%r, %c16] sizes [64, 80] : (!tile.view<[M, 96], f32>, i32, i32) -> tensor<64x80xf32>
  %max = tile.reduce max %t axes [1] : tensor<64x80xf32> -> tensor<64x1xf32>
  tile.store %max, %y[%r] sizes [64] : tensor<64x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}

// A product of two loads along one dimension reads zeros on both sides. Where one of them was computed, that one is
// masked: what it makes of the zeros may be infinite.
// CHECK-LABEL: tile.func @products
tile.func @products(%a: !tile.view<[64, K], bf16>, %b: !tile.view<[K, 64], bf16>, %y: !tile.view<[64, 64], f32> {tile.output})
    attributes {dims = ["K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c32 = arith.constant 32 : i32
  %k = tile.dim "K"
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %two = arith.constant dense<2.0> : tensor<64x32xbf16>
  // CHECK: scf.for
  %r = scf.for %i = %c0 to %k step %c32 iter_args(%acc = %zero) -> tensor<64x64xf32> : i32 {
    // CHECK: %[[A:.*]] = tile.load
    // CHECK: %[[B:.*]] = tile.load
    %ta = tile.load %a[%c0, %i] sizes [64, 32] : (!tile.view<[64, K], bf16>, i32, i32) -> tensor<64x32xbf16>
    %tb = tile.load %b[%i, %c0] sizes [32, 64] : (!tile.view<[K, 64], bf16>, i32, i32) -> tensor<32x64xbf16>
    // CHECK-NEXT: tile.dot %[[A]], %[[B]]
    %plain = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
    // CHECK-NEXT: %[[D:.*]] = arith.mulf
    // CHECK-NEXT: tile.dot %[[D]], %[[B]]
    %doubled = arith.mulf %ta, %two : tensor<64x32xbf16>
    %scaled = tile.dot %doubled, %tb acc %plain : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
    // CHECK-NEXT: %[[E:.*]] = arith.divf %{{.*}}, %[[A]]
    // CHECK: %[[M:.*]] = scf.if
    // CHECK: tile.iota : tensor<1x32xi32>
    // CHECK: arith.constant dense<0.000000e+00> : tensor<64x32xbf16>
    // CHECK: tile.dot %[[M]], %[[B]]
    %inverse = arith.divf %two, %ta : tensor<64x32xbf16>
    %of_inverse = tile.dot %inverse, %tb acc %scaled : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
    // The same on the right: rows of b.
    // CHECK: %[[F:.*]] = arith.addf
    // CHECK: %[[MB:.*]] = scf.if
    // CHECK: tile.iota : tensor<32x1xi32>
    // CHECK: tile.dot %[[A]], %[[MB]]
    %one = arith.constant dense<1.0> : tensor<32x64xbf16>
    %shifted = arith.addf %tb, %one : tensor<32x64xbf16>
    %of_shifted = tile.dot %ta, %shifted acc %of_inverse : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
    scf.yield %of_shifted : tensor<64x64xf32>
  }
  tile.store %r, %y[%c0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[64, 64], f32>, i32, i32)
  tile.return
}

// -inf times a positive number stays -inf; times a number of unknown sign it does not, and the sum is masked again.
// CHECK-LABEL: tile.func @scale_after_mask
tile.func @scale_after_mask(%x: !tile.view<[64, N], f32>, %y: !tile.view<[64], f32> {tile.output},
                            %positive: f32 {tile.positive}, %any: f32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
  // CHECK: %[[S:.*]] = scf.if
  // CHECK: dense<0xFF800000>
  // CHECK: tile.reduce max %[[S]]
  %max = tile.reduce max %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: %[[P:.*]] = arith.mulf %[[S]]
  // CHECK-NEXT: %[[E:.*]] = math.exp %[[P]]
  // CHECK-NEXT: tile.reduce add %[[E]]
  %pt = tile.broadcast %positive : f32 -> tensor<64x32xf32>
  %sp = arith.mulf %t, %pt : tensor<64x32xf32>
  %ep = math.exp %sp : tensor<64x32xf32>
  %sum_p = tile.reduce add %ep axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: %[[A:.*]] = arith.mulf %[[S]]
  // CHECK-NEXT: %[[F:.*]] = math.exp %[[A]]
  // CHECK: %[[G:.*]] = scf.if
  // CHECK: arith.select %{{.*}}, %[[F]]
  // CHECK: tile.reduce add %[[G]]
  %at = tile.broadcast %any : f32 -> tensor<64x32xf32>
  %sa = arith.mulf %t, %at : tensor<64x32xf32>
  %ea = math.exp %sa : tensor<64x32xf32>
  %sum_a = tile.reduce add %ea axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  %u = arith.addf %sum_p, %sum_a : tensor<64x1xf32>
  %v = arith.addf %u, %max : tensor<64x1xf32>
  tile.store %v, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
