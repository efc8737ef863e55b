// A hook reads the dimensions of the kernel that calls it, directly or through another hook.
// RUN: lacuna-opt %s --tile-inline-hooks --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

tile.hook @causal(%i: i32, %j: i32) -> i1 {
  // expected-error@+1 {{'tile.dim' op names 'N', which is no run-time dimension of kernel 'pool'; it has ["M"]}}
  %n = tile.dim "N"
  %i_n = arith.addi %i, %n : i32
  %k = arith.cmpi sle, %j, %i_n : i32
  tile.return %k : i1
}

tile.func @pool(%x: !tile.view<[M, 64], f32>) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %u = tile.map %t : tensor<64x64xf32> -> tensor<64x64xi1> {
  ^bb0(%e: f32, %i: i32, %j: i32):
    // expected-note@+1 {{the kernel calls hook 'causal' here}}
    %k = tile.call_hook @causal(%i, %j) : (i32, i32) -> i1
    tile.yield %k : i1
  }
  tile.return
}

// -----

tile.hook @last() -> i32 {
  // expected-error@+1 {{'tile.dim' op names 'N', which is no run-time dimension of kernel 'pool'; it has ["M"]}}
  %n = tile.dim "N"
  tile.return %n : i32
}

tile.hook @causal(%i: i32, %j: i32) -> i1 {
  %n = tile.call_hook @last() : () -> i32
  %k = arith.cmpi sle, %j, %n : i32
  tile.return %k : i1
}

tile.func @pool(%x: !tile.view<[M, 64], f32>) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %u = tile.map %t : tensor<64x64xf32> -> tensor<64x64xi1> {
  ^bb0(%e: f32, %i: i32, %j: i32):
    // expected-note@+1 {{the kernel calls hook 'causal' here}}
    %k = tile.call_hook @causal(%i, %j) : (i32, i32) -> i1
    tile.yield %k : i1
  }
  tile.return
}
