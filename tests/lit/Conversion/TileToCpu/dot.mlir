// A dot keeps a block of its result in registers; its B operand is loaded in the order in which it is read.
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu=wide=true | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: lacuna-opt %s -split-input-file -tile-to-cpu | FileCheck %s --check-prefixes=CHECK,NARROW

// A block is 8 rows of 32 columns (16 accumulators, 8 elements of A a step), or with short vectors 4 rows of 16.
// CHECK-LABEL:    llvm.func @dot
// The two loads: A row by row, B transposed in blocks of 16 x 16 into panels.
// CHECK:          llvm.load {{.*}} -> vector<16xi16>
// CHECK:          vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// The accumulators start as what the accumulator's expression gives.
// WIDE-COUNT-16:   arith.mulf
// NARROW-COUNT-4:  arith.mulf
// CHECK-NOT:       arith.mulf
// CHECK:           scf.for {{.*}} iter_args(
// WIDE-COUNT-8:    vector.broadcast {{.*}} : f32 to vector<16xf32>
// NARROW-COUNT-4:  vector.broadcast {{.*}} : f32 to vector<16xf32>
// CHECK:           math.fma
// CHECK:           scf.yield
// WIDE-COUNT-16:   llvm.store
// NARROW-COUNT-4:  llvm.store
tile.func @dot(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[N, 64], bf16>, %c: !tile.view<[M, N], f32>,
               %y: !tile.view<[M, N], f32> {tile.output}, %s: f32)
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %acc = tile.load %c[%c0, %c0] sizes [32, 32] : (!tile.view<[M, N], f32>, i32, i32) -> tensor<32x32xf32>
  %ta = tile.load %a[%c0, %c0] sizes [32, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<32x64xbf16>
  %tb = tile.load %b[%c0, %c0] sizes [32, 64] : (!tile.view<[N, 64], bf16>, i32, i32) -> tensor<32x64xbf16>
  %bt = tile.transpose %tb : tensor<32x64xbf16> -> tensor<64x32xbf16>
  %scale = tile.broadcast %s : f32 -> tensor<32x32xf32>
  %scaled = arith.mulf %acc, %scale : tensor<32x32xf32>
  %r = tile.dot %ta, %bt acc %scaled : tensor<32x32xf32> : tensor<32x64xbf16>, tensor<64x32xbf16> -> tensor<32x32xf32>
  tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// -----

// An accumulator carried round a loop is updated in its place: the scratch area holds it once (4096 bytes), beside the
// operands (A 4096, B 4096).
// CHECK-LABEL: llvm.func @inplace
// CHECK:         %[[BYTES:.*]] = arith.constant 12288 : i64
// CHECK:         llvm.call @lacuna_cpu_scratch(%[[BYTES]])
tile.func @inplace(%a: !tile.view<[32, K], bf16>, %b: !tile.view<[K, 32], bf16>, %y: !tile.view<[32, 32], f32> {tile.output})
    attributes {dims = ["K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c32 = arith.constant 32 : i32
  %k = tile.dim "K"
  %zero = arith.constant dense<0.0> : tensor<32x32xf32>
  %r = scf.for %i = %c0 to %k step %c32 iter_args(%acc = %zero) -> (tensor<32x32xf32>) : i32 {
    %ta = tile.load %a[%c0, %i] sizes [32, 32] : (!tile.view<[32, K], bf16>, i32, i32) -> tensor<32x32xbf16>
    %tb = tile.load %b[%i, %c0] sizes [32, 32] : (!tile.view<[K, 32], bf16>, i32, i32) -> tensor<32x32xbf16>
    %n = tile.dot %ta, %tb acc %acc : tensor<32x32xf32> : tensor<32x32xbf16>, tensor<32x32xbf16> -> tensor<32x32xf32>
    scf.yield %n : tensor<32x32xf32>
  }
  tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[32, 32], f32>, i32, i32)
  tile.return
}
