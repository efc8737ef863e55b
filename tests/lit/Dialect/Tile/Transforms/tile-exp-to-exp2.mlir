// exp and log in base 2; differences with one value a row become one fused multiply-add an element.
// RUN: lacuna-opt %s --tile-exp-to-exp2 | FileCheck %s

// CHECK-NOT: math.exp %
// CHECK-NOT: math.log %

// exp(s - c): fma(s, log2(e), -(c * log2(e))). The row vector exp(m - c) uses the same rounded product c * log2(e).
// CHECK-LABEL: tile.func @difference
// CHECK-DAG: %[[LT:.*]] = arith.constant dense<1.44269502> : tensor<64x32xf32>
// CHECK-DAG: %[[LR:.*]] = arith.constant dense<1.44269502> : tensor<64x1xf32>
// CHECK-DAG: %[[LN2:.*]] = arith.constant dense<0.693147182> : tensor<64x1xf32>
tile.func @difference(%x: !tile.view<[64, 32], f32>, %v: !tile.view<[64], f32>, %y: !tile.view<[64, 32], f32> {tile.output},
                      %z: !tile.view<[64], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // CHECK: %[[S:.*]] = tile.load {{.*}} -> tensor<64x32xf32>
  // CHECK: %[[C:.*]] = tile.load {{.*}} -> tensor<64x1xf32>
  // CHECK: %[[M:.*]] = tile.load {{.*}} -> tensor<64x1xf32>
  %s = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %c = tile.load %v[%c0] sizes [64] : (!tile.view<[64], f32>, i32) -> tensor<64x1xf32>
  %m = tile.load %v[%c0] sizes [64] : (!tile.view<[64], f32>, i32) -> tensor<64x1xf32>
  // CHECK: %[[CL:.*]] = arith.mulf %[[C]], %[[LR]]
  // CHECK: %[[NEG:.*]] = arith.negf %[[CL]] : tensor<64x1xf32>
  // CHECK: %[[NEGT:.*]] = tile.broadcast %[[NEG]]
  // CHECK: %[[F:.*]] = math.fma %[[S]], %[[LT]], %[[NEGT]] : tensor<64x32xf32>
  // CHECK: math.exp2 %[[F]]
  %ct = tile.broadcast %c : tensor<64x1xf32> -> tensor<64x32xf32>
  %sc = arith.subf %s, %ct : tensor<64x32xf32>
  %p = math.exp %sc : tensor<64x32xf32>
  // CHECK: %[[ML:.*]] = arith.mulf %[[M]], %[[LR]]
  // CHECK: %[[CL2:.*]] = arith.mulf %[[C]], %[[LR]]
  // CHECK: %[[D:.*]] = arith.subf %[[ML]], %[[CL2]] : tensor<64x1xf32>
  // CHECK: %[[E:.*]] = math.exp2 %[[D]]
  %mc = arith.subf %m, %c : tensor<64x1xf32>
  %r = math.exp %mc : tensor<64x1xf32>
  // CHECK: %[[LOG2:.*]] = math.log2 %[[E]]
  // CHECK: arith.mulf %[[LOG2]], %[[LN2]]
  %log = math.log %r : tensor<64x1xf32>
  tile.store %p, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.store %log, %z[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// The other forms of an exponent: c - s, s + c, -(s * a + c), s * a (a of any sign), s alone, a scalar, a constant factor.
// CHECK-LABEL: tile.func @forms
// CHECK-SAME: %[[A:[a-z0-9]+]]: f32
// CHECK-DAG: %[[L:.*]] = arith.constant 1.44269502 : f32
// CHECK-DAG: %[[LT:.*]] = arith.constant dense<1.44269502> : tensor<64x32xf32>
// CHECK-DAG: %[[NLT:.*]] = arith.constant dense<-1.44269502> : tensor<64x32xf32>
// CHECK-DAG: %[[L3T:.*]] = arith.constant dense<4.32808495> : tensor<64x32xf32>
tile.func @forms(%x: !tile.view<[64, 32], f32>, %a: f32, %y: !tile.view<[9, 64, 32], f32> {tile.output},
                 %z: !tile.view<[1], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %c3 = arith.constant 3 : i32
  %c4 = arith.constant 4 : i32
  %c5 = arith.constant 5 : i32
  %three = arith.constant dense<3.0> : tensor<64x32xf32>
  // CHECK: %[[S:.*]] = tile.load
  %s = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %at = tile.broadcast %a : f32 -> tensor<64x32xf32>
  // CHECK: %[[AL:.*]] = arith.mulf %[[A]], %[[L]] : f32
  // CHECK: %[[ALT:.*]] = tile.broadcast %[[AL]] : f32 -> tensor<64x32xf32>
  // CHECK: %[[F1:.*]] = math.fma %[[S]], %[[NLT]], %[[ALT]]
  // CHECK: math.exp2 %[[F1]]
  %reversed = arith.subf %at, %s : tensor<64x32xf32>
  %e1 = math.exp %reversed : tensor<64x32xf32>
  // CHECK: %[[F2:.*]] = math.fma %[[S]], %[[LT]], %{{.*}}
  // CHECK: math.exp2 %[[F2]]
  %sum = arith.addf %s, %at : tensor<64x32xf32>
  %e2 = math.exp %sum : tensor<64x32xf32>
  // The sigmoid's exponent.
  %scaled = arith.mulf %s, %at : tensor<64x32xf32>
  // CHECK: arith.negf
  // CHECK: %[[NAL:.*]] = arith.mulf %[[A]], %{{.*}} : f32
  // CHECK: %[[NALT:.*]] = tile.broadcast %[[NAL]]
  // CHECK: %[[F7:.*]] = math.fma %[[S]], %[[NALT]], %{{.*}}
  // CHECK: math.exp2 %[[F7]]
  %shifted = arith.addf %scaled, %at : tensor<64x32xf32>
  %negative = arith.negf %shifted : tensor<64x32xf32>
  %e7 = math.exp %negative : tensor<64x32xf32>
  // CHECK: %[[AL2:.*]] = arith.mulf %[[A]], %[[L]] : f32
  // CHECK: %[[ALT2:.*]] = tile.broadcast %[[AL2]]
  // CHECK: %[[F3:.*]] = arith.mulf %[[S]], %[[ALT2]]
  // CHECK: math.exp2 %[[F3]]
  %e3 = math.exp %scaled : tensor<64x32xf32>
  // CHECK: %[[F4:.*]] = arith.mulf %[[S]], %[[LT]]
  // CHECK: math.exp2 %[[F4]]
  %e4 = math.exp %s : tensor<64x32xf32>
  // CHECK: %[[F5:.*]] = arith.mulf %[[S]], %[[L3T]]
  // CHECK: math.exp2 %[[F5]]
  %tripled = arith.mulf %three, %s : tensor<64x32xf32>
  %e5 = math.exp %tripled : tensor<64x32xf32>
  // CHECK: %[[F6:.*]] = arith.mulf %[[A]], %[[L]] : f32
  // CHECK: math.exp2 %[[F6]] : f32
  %e6 = math.exp %a : f32
  tile.store %e1, %y[%c0, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e2, %y[%c1, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e3, %y[%c2, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e4, %y[%c3, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e5, %y[%c4, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e7, %y[%c5, %c0, %c0] sizes [0, 64, 32] : tensor<64x32xf32>, (!tile.view<[9, 64, 32], f32>, i32, i32, i32)
  tile.store %e6, %z[%c0] sizes [0] : f32, (!tile.view<[1], f32>, i32)
  tile.return
}
