// Exponentials and logarithms become polynomials, on vectors and on scalars.
// RUN: lacuna-opt %s -tile-to-cpu-math | FileCheck %s

// CHECK-LABEL: llvm.func @functions
// CHECK-NOT:     math.exp
// CHECK-NOT:     math.log
// CHECK-NOT:     math.tanh
// Clamp so that NaN stays; round by adding 1.5 * 2^23; six steps of the polynomial; two powers of two.
// CHECK:         arith.cmpf olt, {{.*}} : vector<16xf32>
// CHECK:         arith.addf {{.*}} : vector<16xf32>
// CHECK-COUNT-7: math.fma {{.*}} : vector<16xf32>
// CHECK:         arith.shrsi {{.*}} : vector<16xi32>
// CHECK:         llvm.return
llvm.func @functions(%x: vector<16xf32>, %s: f32, %p: !llvm.ptr) {
  %a = math.exp2 %x : vector<16xf32>
  %b = math.exp %a : vector<16xf32>
  %c = math.log %b : vector<16xf32>
  %d = math.tanh %c : vector<16xf32>
  %e = math.exp %s : f32
  llvm.store %d, %p : vector<16xf32>, !llvm.ptr
  llvm.store %e, %p : f32, !llvm.ptr
  llvm.return
}

// Divisions that round up or down become truncating ones.
// CHECK-LABEL: llvm.func @divisions
// CHECK-NOT:     ceildiv
// CHECK-NOT:     floordiv
// CHECK:         arith.divsi
llvm.func @divisions(%x: i32, %y: i32) -> i32 {
  %a = arith.ceildivsi %x, %y : i32
  %b = arith.floordivsi %a, %y : i32
  llvm.return %b : i32
}
