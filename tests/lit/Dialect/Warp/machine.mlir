// A kernel names its machine; on sm_80 the producer's threads copy and warps multiply.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: warp.func @products
// CHECK-SAME: warp.target = "sm_80"
// CHECK: warp.role producer warpgroups 1 registers 240
// CHECK: warp.async_load %{{.*}}[%{{.*}}, %{{.*}}] axis 0 size 64 by 80 at 0, 0 : <[M, 80], bf16>
// CHECK: warp.async_load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] axis 1 size 16 by 64 outer 4 at 0, 0 : <[B, N, 64], bf16>
// CHECK: %[[Q:.*]] = warp.ring_wait
// CHECK: %[[K:.*]] = warp.ring_wait
// CHECK: %[[S:.*]] = warp.mma_sync %[[Q]] trans_a, %[[K]] : !warp.slot<64, 64, bf16>, <64, 80, bf16> -> tensor<64x80xf32, #warp.acc>
// CHECK: warp.mma_sync %{{.*}}, %[[K]] trans_b acc %{{.*}} : tensor<64x64xf32, #warp.acc> : tensor<64x80xbf16, #warp.afrag>, <64, 80, bf16> -> tensor<64x64xf32, #warp.acc>
warp.func @products(%q: !tile.view<[B, N, 64], bf16>, %k: !tile.view<[M, 80], bf16>, %row: i32) attributes {dims = ["B", "N", "M"], grid = ["1"], warp.target = "sm_80"} {
  %c0 = arith.constant 0 : i32
  %rq = warp.ring_create "q" : !warp.ring<1, 64, 64, bf16>
  %rk = warp.ring_create "k" : !warp.ring<1, 64, 80, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 240 {
      %sk = warp.ring_acquire %rk[%c0] : !warp.ring<1, 64, 80, bf16> -> !warp.slot<64, 80, bf16>
      warp.ring_fill %sk bytes 16384 : !warp.slot<64, 80, bf16> {
        warp.async_load %k[%row, %c0] axis 0 size 64 by 80 at 0, 0 : !tile.view<[M, 80], bf16>
      }
      %sq = warp.ring_acquire %rq[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %sq bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.async_load %q[%c0, %row, %c0] axis 1 size 16 by 64 outer 4 at 0, 0 : !tile.view<[B, N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 240 {
      %sq = warp.ring_wait %rq[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      %sk = warp.ring_wait %rk[%c0] : !warp.ring<1, 64, 80, bf16> -> !warp.slot<64, 80, bf16>
      %s = warp.mma_sync %sq trans_a, %sk : !warp.slot<64, 64, bf16>, !warp.slot<64, 80, bf16> -> tensor<64x80xf32, #warp.acc>
      %t = arith.truncf %s : tensor<64x80xf32, #warp.acc> to tensor<64x80xbf16, #warp.acc>
      %p = warp.pack_afrag %t : tensor<64x80xbf16, #warp.acc> -> tensor<64x80xbf16, #warp.afrag>
      %zero = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
      %o = warp.mma_sync %p, %sk trans_b acc %zero : tensor<64x64xf32, #warp.acc> : tensor<64x80xbf16, #warp.afrag>, !warp.slot<64, 80, bf16> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %sq : !warp.slot<64, 64, bf16>
      warp.ring_release %sk : !warp.slot<64, 80, bf16>
    }
  }
  warp.return
}

// What sm_90a starts with has another share for each thread: 128 of 384 threads are the producer's there, 32 here.
// CHECK-LABEL: warp.func @registers
warp.func @registers() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  warp.roles {
    warp.role producer warpgroups 1 registers 168 {
    }
    warp.role consumer warpgroups 2 registers 168 {
    }
  }
  warp.return
}
