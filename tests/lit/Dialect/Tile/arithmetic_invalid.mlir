// Every refusal of the arithmetic on tiles.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

func.func @dynamic(%a: tensor<?x32xbf16>, %b: tensor<32x64xbf16>) {
  // expected-error@+1 {{operand a must have static extents, got 'tensor<?x32xbf16>'}}
  %s = tile.dot %a, %b : tensor<?x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @extent(%a: tensor<64x24xbf16>, %b: tensor<24x64xbf16>) {
  // expected-error@+1 {{a tile's extents are 1 or multiples of 16; operand a is 'tensor<64x24xbf16>'}}
  %s = tile.dot %a, %b : tensor<64x24xbf16>, tensor<24x64xbf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @dot_types(%a: tensor<64x32xbf16>, %b: tensor<32x64xf16>) {
  // expected-error@+1 {{operands must both be bf16 or both f16, got 'bf16' and 'f16'}}
  %s = tile.dot %a, %b : tensor<64x32xbf16>, tensor<32x64xf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @dot_contracted(%a: tensor<64x32xbf16>, %b: tensor<64x64xbf16>) {
  // expected-error@+1 {{the contracted extents differ: a has 32 columns, b has 64 rows}}
  %s = tile.dot %a, %b : tensor<64x32xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @dot_result(%a: tensor<64x32xbf16>, %b: tensor<32x64xbf16>) {
  // expected-error@+1 {{result must be 64x64, got 'tensor<64x32xf32>'}}
  %s = tile.dot %a, %b : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
  return
}

// -----

func.func @dot_acc(%a: tensor<64x32xbf16>, %b: tensor<32x64xbf16>, %c: tensor<64x32xf32>) {
  // expected-error@+1 {{the accumulator must have the result's type 'tensor<64x64xf32>', got 'tensor<64x32xf32>'}}
  %s = tile.dot %a, %b acc %c : tensor<64x32xf32> : tensor<64x32xbf16>, tensor<32x64xbf16> -> tensor<64x64xf32>
  return
}

// -----

func.func @transpose(%a: tensor<64x32xbf16>) {
  // expected-error@+1 {{result must be 'tensor<32x64xbf16>', got 'tensor<64x32xbf16>'}}
  %s = tile.transpose %a : tensor<64x32xbf16> -> tensor<64x32xbf16>
  return
}

// -----

func.func @broadcast_element(%a: tensor<64x1xbf16>) {
  // expected-error@+1 {{operand and result must have one element type, got 'tensor<64x1xbf16>' and 'tensor<64x32xf32>'}}
  %s = tile.broadcast %a : tensor<64x1xbf16> -> tensor<64x32xf32>
  return
}

// -----

func.func @broadcast_extent(%a: tensor<32x1xf32>) {
  // expected-error@+1 {{axis 0 of the operand must be 1 or 64, got 32}}
  %s = tile.broadcast %a : tensor<32x1xf32> -> tensor<64x32xf32>
  return
}

// -----

func.func @reduce_axes(%a: tensor<64x32xf32>) {
  // expected-error@+1 {{axes must be [0], [1] or [0, 1]}}
  %s = tile.reduce add %a axes [1, 0] : tensor<64x32xf32> -> f32
  return
}

// -----

func.func @reduce_result(%a: tensor<64x32xf32>) {
  // expected-error@+1 {{result must be 'tensor<64x1xf32>', got 'tensor<1x32xf32>'}}
  %s = tile.reduce add %a axes [1] : tensor<64x32xf32> -> tensor<1x32xf32>
  return
}

// -----

func.func @iota() {
  // expected-error@+1 {{exactly one extent of the result must be 1, got 'tensor<64x32xi32>'}}
  %s = tile.iota : tensor<64x32xi32>
  return
}
