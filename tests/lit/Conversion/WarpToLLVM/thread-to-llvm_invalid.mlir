// What has no form on the GPU is refused by name.
// RUN: lacuna-opt %s --thread-to-llvm --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// CHECK-NOT: RUN{{:}}

llvm.func @unknown_function(%x: f32) -> f32 {
  // expected-error@+1 {{failed to legalize operation 'math.erf'}}
  %a = math.erf %x : f32
  llvm.return %a : f32
}

// -----

// The approximations are float32.
llvm.func @narrow(%x: bf16) -> bf16 {
  // expected-error@+1 {{failed to legalize operation 'math.tanh'}}
  %a = math.tanh %x : bf16
  llvm.return %a : bf16
}

// -----

llvm.func @left_over(%n: i32) {
  // expected-error@+1 {{failed to legalize operation 'tile.dim'}}
  %m = "tile.dim"() {name = "M"} : () -> i32
  llvm.return
}
