// Shared tiles that consumers write and TMA stores: each op's text, and every order of them that is right.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --canonicalize --cse | FileCheck %s --check-prefix=EFFECTS
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}
// EFFECTS-NOT: RUN{{:}}

!tile = !warp.smem<128, 64, bf16>
!value = tensor<64x64xbf16, #warp.acc>
!view = !tile.view<[B, M, 64], bf16>

// A program after the other: what the first copies, the second waits for.
// CHECK-LABEL: warp.func @programs(
// EFFECTS-LABEL: warp.func @programs(
warp.func @programs(%o: !view {tile.output}) attributes {dims = ["B", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // CHECK: %[[T:.*]] = warp.smem_create "o" : <128, 64, bf16>
  %t = warp.smem_create "o" : !tile
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 2 registers 240 {
        %v = arith.constant dense<1.0> : !value
        // CHECK: warp.tma_store_wait
        // CHECK-NEXT: warp.warpgroup_sync
        // CHECK-NEXT: warp.store_shared %{{.*}}, %[[T]] : tensor<64x64xbf16, #warp.acc>, <128, 64, bf16>
        // CHECK-NEXT: warp.fence_async
        // CHECK-NEXT: warp.warpgroup_sync
        // CHECK-NEXT: warp.tma_store %[[T]], %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] axis 1 : <128, 64, bf16>, <[B, M, 64], bf16>
        // EFFECTS: warp.tma_store_wait
        // EFFECTS-NEXT: warp.warpgroup_sync
        // EFFECTS-NEXT: warp.store_shared
        // EFFECTS-NEXT: warp.fence_async
        // EFFECTS-NEXT: warp.warpgroup_sync
        // EFFECTS-NEXT: warp.tma_store
        warp.tma_store_wait
        warp.warpgroup_sync
        warp.store_shared %v, %t : !value, !tile
        warp.fence_async
        warp.warpgroup_sync
        warp.tma_store %t, %o[%z, %x, %c0] axis 1 : !tile, !view
      }
    }
  }
  warp.return
}

// What follows the last program finds what that left, or what stood before the first.
// CHECK-LABEL: warp.func @leave(
warp.func @leave(%o: !view {tile.output}) attributes {dims = ["B", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = warp.smem_create "o" : !tile
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 2 registers 240 enter {
        %v = arith.constant dense<1.0> : !value
        warp.store_shared %v, %t : !value, !tile
        warp.fence_async
        warp.warpgroup_sync
        warp.role_yield %c0 : i32
      } each(%n: i32) {
        warp.tma_store %t, %o[%z, %x, %c0] axis 1 : !tile, !view
        warp.role_yield %x : i32
      } leave(%n: i32) {
        // CHECK: leave
        // CHECK: warp.tma_store %
        warp.tma_store %t, %o[%c0, %n, %c0] axis 1 : !tile, !view
      }
    }
  }
  warp.return
}

// A program alone has nothing to wait for; in a loop the wait may stand anywhere before the next write. A last chunk that
// is filled in part reaches the view's end.
// CHECK-LABEL: warp.func @loops_and_branches(
warp.func @loops_and_branches(%o: !tile.view<[M, 72], f16> {tile.output}, %p: !tile.view<[M, 64], f16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 80, f16>
  %u = warp.smem_create "p" : !warp.smem<64, 64, f16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x80xf16, #warp.acc>
      %w = arith.constant dense<1.0> : tensor<64x64xf16, #warp.acc>
      // CHECK: warp.store_shared
      warp.store_shared %v, %t : tensor<64x80xf16, #warp.acc>, !warp.smem<64, 80, f16>
      warp.fence_async
      warp.warpgroup_sync
      scf.for %i = %c0 to %n step %c1 : i32 {
        %some = arith.cmpi slt, %i, %c1 : i32
        scf.if %some {
          warp.store_shared %w, %u : tensor<64x64xf16, #warp.acc>, !warp.smem<64, 64, f16>
          warp.fence_async
          warp.warpgroup_sync
          warp.tma_store %u, %p[%i, %c0] axis 0 : !warp.smem<64, 64, f16>, !tile.view<[M, 64], f16>
        }
        // CHECK: warp.tma_store_wait
        warp.tma_store_wait
        warp.warpgroup_sync
      }
      // CHECK: warp.tma_store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] axis 0 : <64, 80, f16>, <[M, 72], f16>
      warp.tma_store %t, %o[%n, %c0] axis 0 : !warp.smem<64, 80, f16>, !tile.view<[M, 72], f16>
    }
  }
  warp.return
}

// A product reads a written tile, which may be written again behind the wait.
// CHECK-LABEL: warp.func @operand(
warp.func @operand(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // CHECK: warp.wgmma_ss %{{.*}}, %{{.*}} : !warp.smem<64, 64, bf16>, <64, 64, bf16> -> <tensor<64x64xf32, #warp.acc>>
      %a = warp.wgmma_ss %t, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      // CHECK: warp.store_shared
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}
