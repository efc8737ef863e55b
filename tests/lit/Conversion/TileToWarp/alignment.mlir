// Starts on the innermost axis that are known to be multiples of 8 elements: copies take them as they are.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// CHECK-NOT: tile.func

// Products, sums, differences, exact quotients, remainders, minima, choices, and the loop `for k in 0..n by 80`.
// CHECK-LABEL: warp.func @scalars
// CHECK: warp.role producer
// CHECK-COUNT-8: warp.tma_load
// CHECK: warp.role consumer
tile.func @scalars(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[K, N], bf16>, %x: i32,
                   %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c2 = arith.constant 2 : i32
  %c4 = arith.constant 4 : i32
  %c24 = arith.constant 24 : i32
  %c80 = arith.constant 80 : i32
  %p = tile.program_id 0
  %n = tile.dim "N"
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %x4 = arith.muli %x, %c4 : i32
  %product = arith.muli %x4, %c2 : i32
  %sum = arith.addi %product, %c24 : i32
  %difference = arith.subi %sum, %c80 : i32
  %p80 = arith.muli %p, %c80 : i32
  %quotient = arith.divsi %p80, %c2 : i32
  %remainder = arith.remsi %quotient, %c24 : i32
  %least = arith.minsi %remainder, %sum : i32
  %even = arith.cmpi eq, %p, %c0 : i32
  %chosen = arith.select %even, %least, %c80 : i32
  %t0 = tile.load %b[%c0, %product] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %t1 = tile.load %b[%c0, %difference] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %t2 = tile.load %b[%c0, %quotient] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %t3 = tile.load %b[%c0, %least] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %t4 = tile.load %b[%c0, %chosen] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %t5 = tile.load %b[%c0, %c24] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
  %s0 = tile.dot %ta, %t0 : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %s1 = tile.dot %ta, %t1 acc %s0 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %s2 = tile.dot %ta, %t2 acc %s1 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %s3 = tile.dot %ta, %t3 acc %s2 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %s4 = tile.dot %ta, %t4 acc %s3 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %s5 = tile.dot %ta, %t5 acc %s4 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %r = scf.for %k = %c0 to %n step %c80 iter_args(%acc = %s5) -> (tensor<64x64xf32>) : i32 {
    %tk = tile.load %b[%c0, %k] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %tk acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}

// Scalars that a sparse and a dense loop carry, and positions of a list.
// CHECK-LABEL: warp.func @carried
// CHECK: warp.role producer
// CHECK-COUNT-4: warp.tma_load
// CHECK: warp.role consumer
tile.func @carried(%a: !tile.view<[M, K], bf16>, %b: !tile.view<[K, N], bf16>, %rows: !tile.blocks<64, 64, [1, 1]>,
                   %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c16 = arith.constant 16 : i32
  %c40 = arith.constant 40 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %k = tile.dim "K"
  %sparse:2 = tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %k init(%acc = %zero, %at = %c16)
      : !tile.blocks<64, 64, [1, 1]>, tensor<64x64xf32>, i32 {
    %ta = tile.load %a[%p, %t] sizes [64, 64] : (!tile.view<[M, K], bf16>, i32, !tile.positions<64>) -> tensor<64x64xbf16>
    %tb = tile.load %b[%t, %at] sizes [64, 64] : (!tile.view<[K, N], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %next = arith.addi %at, %c40 : i32
    tile.yield %s, %next : tensor<64x64xf32>, i32
  }
  %dense:3 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %sparse#0, %at = %c16, %last = %c0) -> (tensor<64x64xf32>, i32, i32) : i32 {
    %ta = tile.load %a[%p, %last] sizes [64, 64] : (!tile.view<[M, K], bf16>, i32, i32) -> tensor<64x64xbf16>
    %tb = tile.load %b[%c0, %at] sizes [64, 64] : (!tile.view<[K, N], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %next = arith.addi %at, %c40 : i32
    scf.yield %s, %next, %at : tensor<64x64xf32>, i32, i32
  }
  tile.store %dense#0, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}
