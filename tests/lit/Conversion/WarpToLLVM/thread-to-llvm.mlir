// Mathematical functions become the GPU's approximations; there is no division of floats.
// RUN: lacuna-opt %s --thread-to-llvm | FileCheck %s
// RUN: lacuna-opt %s --thread-to-llvm | FileCheck %s --check-prefix=NOT
// NOT-NOT: llvm.fdiv
// NOT-NOT: llvm.intr.exp
// NOT-NOT: math.
// NOT-NOT: arith.
// NOT-NOT: scf.

// CHECK-LABEL: llvm.func @exponentials(%arg0: f32)
// CHECK: %[[E2:[a-z0-9_]+]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%arg0) : (f32) -> f32
// CHECK: %[[LOG2E:[a-z0-9_]+]] = llvm.mlir.constant(1.44269502 : f32) : f32
// CHECK: %[[X:[a-z0-9_]+]] = llvm.fmul %arg0, %[[LOG2E]] : f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]])
// CHECK: %[[L:[a-z0-9_]+]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%arg0)
// CHECK: %[[L2:[a-z0-9_]+]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%arg0)
// CHECK: %[[LN2:[a-z0-9_]+]] = llvm.mlir.constant(0.693147182 : f32) : f32
// CHECK: llvm.fmul %[[L2]], %[[LN2]] : f32
llvm.func @exponentials(%x: f32) -> f32 {
  %a = math.exp2 %x : f32
  %b = math.exp %x : f32
  %c = math.log2 %x : f32
  %d = math.log %x : f32
  llvm.return %a : f32
}

// 1 - 2 / (exp2(2 log2(e) x) + 1)
// CHECK-LABEL: llvm.func @tanh(%arg0: f32)
// CHECK: %[[C:[a-z0-9_]+]] = llvm.mlir.constant(2.885390e+00 : f32) : f32
// CHECK: %[[X:[a-z0-9_]+]] = llvm.fmul %arg0, %[[C]] : f32
// CHECK: %[[E:[a-z0-9_]+]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]])
// CHECK: llvm.fadd %[[E]], %{{.*}} : f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"
// CHECK: llvm.fmul
// CHECK: llvm.fadd
llvm.func @tanh(%x: f32) -> f32 {
  %a = math.tanh %x : f32
  llvm.return %a : f32
}

// CHECK-LABEL: llvm.func @algebra(%arg0: f32, %arg1: f32, %arg2: f32)
// CHECK: %[[R:[a-z0-9_]+]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%arg1)
// CHECK: llvm.fmul %arg0, %[[R]] : f32
// CHECK: llvm.intr.fma(%arg0, %arg1, %arg2) : (f32, f32, f32) -> f32
// CHECK: "llvm.nvvm.rsqrt.approx.ftz.f"(%arg0)
// CHECK: "llvm.nvvm.sqrt.approx.ftz.f"(%arg0)
// CHECK: "llvm.nvvm.fabs.ftz.f"(%arg0)
// CHECK: "llvm.nvvm.floor.ftz.f"(%arg0)
// CHECK: llvm.intr.maxnum(%arg0, %arg1)
llvm.func @algebra(%x: f32, %y: f32, %z: f32) -> f32 {
  %a = arith.divf %x, %y : f32
  %b = math.fma %x, %y, %z : f32
  %c = math.rsqrt %x : f32
  %d = math.sqrt %x : f32
  %e = math.absf %x : f32
  %f = math.floor %x : f32
  %g = arith.maxnumf %x, %y : f32
  llvm.return %a : f32
}

// CHECK-LABEL: llvm.func @control(%arg0: i1, %arg1: f32)
// CHECK: llvm.cond_br %arg0
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"
// CHECK: llvm.return
llvm.func @control(%p: i1, %x: f32) -> f32 {
  %r = scf.if %p -> (f32) {
    %a = math.exp2 %x : f32
    scf.yield %a : f32
  } else {
    scf.yield %x : f32
  }
  llvm.return %r : f32
}
