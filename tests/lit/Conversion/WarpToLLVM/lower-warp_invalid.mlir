// Every refusal of lower-warp.
// RUN: lacuna-opt %s --lower-warp --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @regions(%n: i32) attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{cannot be lowered to a thread of sm_90a}}
  %r = scf.while (%x = %n) : (i32) -> i32 {
    %more = arith.cmpi sgt, %x, %n : i32
    scf.condition(%more) %x : i32
  } do {
  ^bb0(%x: i32):
    scf.yield %x : i32
  }
  warp.return
}

// -----

warp.func @effects(%x: !tile.view<[M], f32>, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %one = arith.constant 1.0 : f32
  // expected-error@+1 {{cannot be lowered to a thread of sm_90a}}
  tile.store %one, %x[%n] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  warp.return
}

// -----

warp.func @tiles() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{is no elementwise operation and cannot be lowered to a thread of sm_90a}}
  %i = tile.iota : tensor<64x1xi32>
  warp.return
}

// -----

warp.func @group(%x: !tile.view<[N, 64], bf16>, %p: i1) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "a" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %e bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %a = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      // expected-note@+1 {{it stands here; issue, commit and wait belong to one block}}
      %d = warp.wgmma_ss %a, %a : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      scf.if %p {
        // expected-error@+1 {{waits for a group that was committed in another block}}
        %w = warp.wgmma_wait %g, %d : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      }
      warp.ring_release %a : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}
