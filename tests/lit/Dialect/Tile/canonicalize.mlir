// Folders and canonical forms.
// RUN: lacuna-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @transpose
// CHECK-SAME: %[[X:.*]]: tensor<64x32xf32>
func.func @transpose(%x: tensor<64x32xf32>) -> (tensor<64x32xf32>, tensor<32x64xf32>) {
  // CHECK: %[[C:.*]] = arith.constant dense<2.000000e+00> : tensor<32x64xf32>
  %t = tile.transpose %x : tensor<64x32xf32> -> tensor<32x64xf32>
  %tt = tile.transpose %t : tensor<32x64xf32> -> tensor<64x32xf32>
  %c = arith.constant dense<2.0> : tensor<64x32xf32>
  %ct = tile.transpose %c : tensor<64x32xf32> -> tensor<32x64xf32>
  // CHECK: return %[[X]], %[[C]]
  return %tt, %ct : tensor<64x32xf32>, tensor<32x64xf32>
}

// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: %[[X:.*]]: tensor<64x32xf32>, %[[A:.*]]: f32
func.func @broadcast(%x: tensor<64x32xf32>, %a: f32)
    -> (tensor<64x32xf32>, tensor<64x32xf32>, tensor<64x32xf32>, tensor<64x32xi32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant dense<2.000000e+00> : tensor<64x32xf32>
  // CHECK-DAG: %[[C1:.*]] = arith.constant dense<3> : tensor<64x32xi32>
  %same = tile.broadcast %x : tensor<64x32xf32> -> tensor<64x32xf32>
  // A broadcast of a broadcast is one.
  // CHECK: %[[B:.*]] = tile.broadcast %[[A]] : f32 -> tensor<64x32xf32>
  %row = tile.broadcast %a : f32 -> tensor<64x1xf32>
  %full = tile.broadcast %row : tensor<64x1xf32> -> tensor<64x32xf32>
  %splat = arith.constant dense<2.0> : tensor<64x1xf32>
  %of_splat = tile.broadcast %splat : tensor<64x1xf32> -> tensor<64x32xf32>
  %three = arith.constant 3 : i32
  %of_scalar = tile.broadcast %three : i32 -> tensor<64x32xi32>
  // CHECK: return %[[X]], %[[B]], %[[C0]], %[[C1]]
  return %same, %full, %of_splat, %of_scalar : tensor<64x32xf32>, tensor<64x32xf32>, tensor<64x32xf32>, tensor<64x32xi32>
}

// CHECK-LABEL: func.func @reduce
// CHECK-SAME: %[[X:.*]]: tensor<64x1xf32>
func.func @reduce(%x: tensor<64x1xf32>) -> tensor<64x1xf32> {
  // CHECK-NEXT: return %[[X]]
  %r = tile.reduce max %x axes [1] : tensor<64x1xf32> -> tensor<64x1xf32>
  return %r : tensor<64x1xf32>
}

// CHECK-LABEL: func.func @dot
func.func @dot(%a: tensor<64x32xbf16>, %b: tensor<32x64xbf16>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %one = arith.constant dense<1.0> : tensor<64x64xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}} : tensor<64x32xbf16>
  %s = tile.dot %a, %b acc %zero : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}} acc
  %t = tile.dot %a, %b acc %one : tensor<64x64xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  return %s, %t : tensor<64x64xf32>, tensor<64x64xf32>
}
