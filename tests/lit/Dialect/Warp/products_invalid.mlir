// Every refusal of the ops on products and on tiles in registers.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @contraction() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 128, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 128, bf16> -> !warp.slot<64, 128, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{A has 128 values of k, B has 64}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 128, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 128, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @contraction_transposed() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 128, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{A has 128 values of k, B has 64}}
  %p = warp.wgmma_ss %a trans_a, %b trans_b : !warp.slot<128, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<128, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @element() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, f16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, f16> -> !warp.slot<64, 64, f16>
  // expected-error@+1 {{A is 'bf16', B is 'f16'}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, f16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, f16>
  warp.return
}

// -----

warp.func @result_shape() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{the result must be tensor<64x64xf32, #warp.acc>, got 'tensor<64x128xf32, #warp.acc>'}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @result_rows() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{the result must be tensor<64x64xf32, #warp.acc>, got 'tensor<128x64xf32, #warp.acc>'}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<128x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @result_layout() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{the result must be tensor<64x64xf32, #warp.acc>, got 'tensor<64x64xf32, #warp.row>'}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.row>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @result_precision() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{the result must be tensor<64x64xf32, #warp.acc>, got 'tensor<64x64xbf16, #warp.acc>'}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xbf16, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @width() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 16, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 16, 320, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 16, bf16> -> !warp.slot<64, 16, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 16, 320, bf16> -> !warp.slot<16, 320, bf16>
  // expected-error@+1 {{a product has 8 to 256 columns, a multiple of 8; got 320}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 16, bf16>, !warp.slot<16, 320, bf16> -> !warp.inflight<tensor<64x320xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 16, bf16>
  warp.ring_release %b : !warp.slot<16, 320, bf16>
  warp.return
}

// -----

warp.func @accumulator() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #warp.row>
  // expected-error@+1 {{the accumulator must be 'tensor<64x64xf32, #warp.acc>', in flight or not, got 'tensor<64x64xf32, #warp.row>'}}
  %p = warp.wgmma_ss %a, %b acc %zero : tensor<64x64xf32, #warp.row> : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @left_rows() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 96, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 96, 64, bf16> -> !warp.slot<96, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{A's rows must be a multiple of 64, got 96}}
  %p = warp.wgmma_ss %a, %b : !warp.slot<96, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<96, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @left_rows_transposed() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 48, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 48, bf16> -> !warp.slot<64, 48, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{A's rows must be a multiple of 64, got 48}}
  %p = warp.wgmma_ss %a trans_a, %b : !warp.slot<64, 48, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 48, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @role() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.roles {
    // expected-note@+1 {{it stands in the producer role}}
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{a matrix product belongs to the consumer role}}
      %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @fragment() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.acc>
  // expected-error@+1 {{A must be a #warp.afrag tile (warp.pack_afrag), got 'tensor<64x64xbf16, #warp.acc>'}}
  %p = warp.wgmma_rs %x, %b : tensor<64x64xbf16, #warp.acc>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @fragment_contraction() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %x = arith.constant dense<0.0> : tensor<64x128xbf16, #warp.afrag>
  // expected-error@+1 {{A has 128 values of k, B has 64}}
  %p = warp.wgmma_rs %x, %b : tensor<64x128xbf16, #warp.afrag>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @wait() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  %g = warp.wgmma_commit
  // expected-error@+1 {{hands over 'tensor<64x64xf32, #warp.acc>', 'tensor<64x64xf32, #warp.acc>', but waits for 'tensor<64x64xf32, #warp.acc>'}}
  %r:2 = warp.wgmma_wait %g, %p : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>, tensor<64x64xf32, #warp.acc>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @wait_carry() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  %g = warp.wgmma_commit
  %x = arith.constant dense<0.0> : tensor<64x1xf32, #warp.row>
  // expected-error@+1 {{hands over 'tensor<64x64xf32, #warp.acc>', but waits for 'tensor<64x64xf32, #warp.acc>', 'tensor<64x1xf32, #warp.row>'}}
  %r = warp.wgmma_wait %g, %p carry %x : tensor<64x1xf32, #warp.row> : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @wait_after() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 64, 64, bf16>
  %a = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %b = warp.ring_wait %rb[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  %p = warp.wgmma_ss %a, %b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  %g = warp.wgmma_commit
  %y = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
  // expected-error@+1 {{comes after f32 #warp.row vectors, got 'tensor<64x64xf32, #warp.acc>'}}
  %r = warp.wgmma_wait %g, %p after %y : tensor<64x64xf32, #warp.acc> : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
  warp.ring_release %a : !warp.slot<64, 64, bf16>
  warp.ring_release %b : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @pack_layout() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.acc>
  // expected-error@+1 {{packs a #warp.acc tile into a #warp.afrag tile of the same shape and type, got 'tensor<64x64xbf16, #warp.acc>' and 'tensor<64x64xbf16, #warp.acc>'}}
  %p = warp.pack_afrag %x : tensor<64x64xbf16, #warp.acc> -> tensor<64x64xbf16, #warp.acc>
  warp.return
}

// -----

warp.func @pack_source() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.afrag>
  // expected-error@+1 {{packs a #warp.acc tile into a #warp.afrag tile of the same shape and type, got 'tensor<64x64xbf16, #warp.afrag>' and 'tensor<64x64xbf16, #warp.afrag>'}}
  %p = warp.pack_afrag %x : tensor<64x64xbf16, #warp.afrag> -> tensor<64x64xbf16, #warp.afrag>
  warp.return
}

// -----

warp.func @pack_shape() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.acc>
  // expected-error@+1 {{packs a #warp.acc tile into a #warp.afrag tile of the same shape and type, got 'tensor<64x64xbf16, #warp.acc>' and 'tensor<64x32xbf16, #warp.afrag>'}}
  %p = warp.pack_afrag %x : tensor<64x64xbf16, #warp.acc> -> tensor<64x32xbf16, #warp.afrag>
  warp.return
}

// -----

warp.func @pack_element() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.acc>
  // expected-error@+1 {{packs a #warp.acc tile into a #warp.afrag tile of the same shape and type, got 'tensor<64x64xbf16, #warp.acc>' and 'tensor<64x64xf16, #warp.afrag>'}}
  %p = warp.pack_afrag %x : tensor<64x64xbf16, #warp.acc> -> tensor<64x64xf16, #warp.afrag>
  warp.return
}

// -----

warp.func @pack_precision() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
  // expected-error@+1 {{an A operand in registers is bf16 or f16, got 'f32'}}
  %p = warp.pack_afrag %x : tensor<64x64xf32, #warp.acc> -> tensor<64x64xf32, #warp.afrag>
  warp.return
}

// -----

warp.func @reduce_source() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x1xf32, #warp.row>
  // expected-error@+1 {{reduces a #warp.acc tile to a #warp.row vector, got 'tensor<64x1xf32, #warp.row>' and 'tensor<64x1xf32, #warp.row>'}}
  %p = warp.row_reduce max %x : tensor<64x1xf32, #warp.row> -> tensor<64x1xf32, #warp.row>
  warp.return
}

// -----

warp.func @reduce_result() attributes {dims = [], grid = ["1"]} {
  %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
  // expected-error@+1 {{reduces a #warp.acc tile to a #warp.row vector, got 'tensor<64x64xf32, #warp.acc>' and 'tensor<64x64xf32, #warp.acc>'}}
  %p = warp.row_reduce max %x : tensor<64x64xf32, #warp.acc> -> tensor<64x64xf32, #warp.acc>
  warp.return
}

// -----

warp.func @barrier_none_sync() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 0}}
  warp.named_barrier_sync 1 threads 0
  warp.return
}

// -----

warp.func @barrier_none_arrive() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 0}}
  warp.named_barrier_arrive 1 threads 0
  warp.return
}

// -----

warp.func @barrier_uneven_sync() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 48}}
  warp.named_barrier_sync 1 threads 48
  warp.return
}

// -----

warp.func @barrier_uneven_arrive() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 48}}
  warp.named_barrier_arrive 1 threads 48
  warp.return
}

// -----

warp.func @barrier_many_sync() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 1056}}
  warp.named_barrier_sync 1 threads 1056
  warp.return
}

// -----

warp.func @barrier_many_arrive() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{a barrier's threads are a multiple of 32 up to 1024, got 1056}}
  warp.named_barrier_arrive 1 threads 1056
  warp.return
}

// -----

warp.func @barrier_id_0() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{attribute 'id' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1 whose maximum value is 15}}
  warp.named_barrier_sync 0 threads 128
  warp.return
}

// -----

warp.func @barrier_id_16() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{attribute 'id' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1 whose maximum value is 15}}
  warp.named_barrier_sync 16 threads 128
  warp.return
}

// -----

warp.func @rows_for_each_warpgroup() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      // expected-error@+1 {{A has 64 rows, but the role's 2 warpgroups take 128, 64 each}}
      %d = warp.wgmma_ss %s, %s : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}
