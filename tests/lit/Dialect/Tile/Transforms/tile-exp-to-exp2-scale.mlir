// A product with a positive number moves behind masks and maxima and joins the exponent; a number of unknown sign stays.
// RUN: lacuna-opt %s --tile-exp-to-exp2 --canonicalize --cse | FileCheck %s

// CHECK-LABEL: tile.func @positive_scale
// CHECK-SAME: %[[A:[a-z0-9]+]]: f32 {tile.positive}
tile.func @positive_scale(%x: !tile.view<[64, 32], f32>, %a: f32 {tile.positive}, %flag: i32, %y: !tile.view<[64, 32], f32> {tile.output},
                          %z: !tile.view<[64], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x32xf32>
  // CHECK-DAG: %[[L:.*]] = arith.constant 1.44269502 : f32
  // CHECK-DAG: %[[LR:.*]] = arith.constant dense<1.44269502> : tensor<64x1xf32>
  // CHECK: %[[D:.*]] = tile.load
  %d = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %at = tile.broadcast %a : f32 -> tensor<64x32xf32>
  %s = arith.mulf %d, %at : tensor<64x32xf32>
  %i = tile.iota : tensor<64x1xi32>
  %j = tile.iota : tensor<1x32xi32>
  %it = tile.broadcast %i : tensor<64x1xi32> -> tensor<64x32xi32>
  %jt = tile.broadcast %j : tensor<1x32xi32> -> tensor<64x32xi32>
  %on = arith.cmpi ne, %flag, %c0 : i32
  // CHECK: %[[MASKED:.*]] = scf.if
  // CHECK: %[[SEL:.*]] = arith.select %{{.*}}, %[[D]], %{{.*}} : tensor<64x32xi1>
  // CHECK: scf.yield %[[SEL]]
  // CHECK: else
  // CHECK: scf.yield %[[D]]
  %masked = scf.if %on -> tensor<64x32xf32> {
    %lower = arith.cmpi sle, %jt, %it : tensor<64x32xi32>
    %sel = arith.select %lower, %s, %inf : tensor<64x32xi1>, tensor<64x32xf32>
    scf.yield %sel : tensor<64x32xf32>
  } else {
    scf.yield %s : tensor<64x32xf32>
  }
  // CHECK: %[[MAX:.*]] = tile.reduce max %[[MASKED]]
  // CHECK: %[[AR:.*]] = tile.broadcast %[[A]] : f32 -> tensor<64x1xf32>
  // CHECK: %[[C:.*]] = arith.mulf %[[MAX]], %[[AR]] : tensor<64x1xf32>
  %c = tile.reduce max %masked axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: %[[CL:.*]] = arith.mulf %[[C]], %[[LR]]
  // CHECK: %[[NEG:.*]] = arith.negf %[[CL]]
  // CHECK: %[[AL:.*]] = arith.mulf %[[A]], %[[L]] : f32
  // CHECK: %[[ALT:.*]] = tile.broadcast %[[AL]] : f32 -> tensor<64x32xf32>
  // CHECK: %[[NEGT:.*]] = tile.broadcast %[[NEG]]
  // CHECK: %[[F:.*]] = math.fma %[[MASKED]], %[[ALT]], %[[NEGT]] : tensor<64x32xf32>
  // CHECK: %[[P:.*]] = math.exp2 %[[F]]
  // CHECK-NOT: arith.mulf {{.*}} tensor<64x32xf32>
  %ct = tile.broadcast %c : tensor<64x1xf32> -> tensor<64x32xf32>
  %sc = arith.subf %masked, %ct : tensor<64x32xf32>
  %p = math.exp %sc : tensor<64x32xf32>
  tile.store %p, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.store %c, %z[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// The same with a number of unknown sign: a negative one would turn -inf and the maximum around, so the product stays
// in front of both.
// CHECK-LABEL: tile.func @any_scale
// CHECK: %[[S:.*]] = arith.mulf {{.*}} tensor<64x32xf32>
// CHECK: %[[SEL:.*]] = arith.select %{{.*}}, %[[S]], %{{.*}} : tensor<64x32xi1>
// CHECK: tile.reduce max %[[SEL]]
// CHECK: math.fma %[[SEL]], %{{.*}}, %{{.*}} : tensor<64x32xf32>
tile.func @any_scale(%x: !tile.view<[64, 32], f32>, %a: f32, %y: !tile.view<[64, 32], f32> {tile.output})
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x32xf32>
  %d = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %at = tile.broadcast %a : f32 -> tensor<64x32xf32>
  %s = arith.mulf %d, %at : tensor<64x32xf32>
  %i = tile.iota : tensor<64x1xi32>
  %j = tile.iota : tensor<1x32xi32>
  %it = tile.broadcast %i : tensor<64x1xi32> -> tensor<64x32xi32>
  %jt = tile.broadcast %j : tensor<1x32xi32> -> tensor<64x32xi32>
  %lower = arith.cmpi sle, %jt, %it : tensor<64x32xi32>
  %sel = arith.select %lower, %s, %inf : tensor<64x32xi1>, tensor<64x32xf32>
  %c = tile.reduce max %sel axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  %ct = tile.broadcast %c : tensor<64x1xf32> -> tensor<64x32xf32>
  %sc = arith.subf %sel, %ct : tensor<64x32xf32>
  %p = math.exp %sc : tensor<64x32xf32>
  tile.store %p, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.return
}

// A positive constant moves as well (soft capping: tanh(x) * 30), a negative one does not; where the product is used
// otherwise it is still there; a sum would be rounded otherwise and keeps its terms.
// CHECK-LABEL: tile.func @constants
tile.func @constants(%x: !tile.view<[64, 32], f32>, %y: !tile.view<[64, 32], f32> {tile.output},
                     %z: !tile.view<[4, 64], f32> {tile.output}) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %thirty = arith.constant dense<30.0> : tensor<64x32xf32>
  %minus = arith.constant dense<-30.0> : tensor<64x32xf32>
  // CHECK-DAG: %[[THIRTY:.*]] = arith.constant dense<3.000000e+01> : tensor<64x1xf32>
  // CHECK: %[[T:.*]] = math.tanh
  // CHECK: %[[S:.*]] = arith.mulf %[[T]], %{{.*}} : tensor<64x32xf32>
  // CHECK: %[[N:.*]] = arith.mulf %[[T]], %{{.*}} : tensor<64x32xf32>
  %d = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, 32], f32>, i32, i32) -> tensor<64x32xf32>
  %t = math.tanh %d : tensor<64x32xf32>
  %s = arith.mulf %t, %thirty : tensor<64x32xf32>
  %n = arith.mulf %t, %minus : tensor<64x32xf32>
  // CHECK: %[[MAX:.*]] = tile.reduce max %[[T]]
  // CHECK: arith.mulf %[[MAX]], %[[THIRTY]]
  %max = tile.reduce max %s axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: tile.reduce add %[[S]]
  %sum = tile.reduce add %s axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: tile.reduce max %[[N]]
  %max_n = tile.reduce max %n axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  tile.store %s, %y[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, 32], f32>, i32, i32)
  tile.store %max, %z[%c0, %c0] sizes [0, 64] : tensor<64x1xf32>, (!tile.view<[4, 64], f32>, i32, i32)
  tile.store %sum, %z[%c1, %c0] sizes [0, 64] : tensor<64x1xf32>, (!tile.view<[4, 64], f32>, i32, i32)
  tile.store %max_n, %z[%c2, %c0] sizes [0, 64] : tensor<64x1xf32>, (!tile.view<[4, 64], f32>, i32, i32)
  tile.return
}
