// RUN: lacuna-opt %s --verify-diagnostics --split-input-file

func.func @extents(%a: tensor<64x64xf32>, %b: tensor<64x32xf32>) {
  // expected-error@+1 {{both tiles must have the same extents, got 'tensor<64x64xf32>' and 'tensor<64x32xf32>'}}
  %0 = tile.along %a, %b : tensor<64x64xf32>, tensor<64x32xf32>
  return
}
