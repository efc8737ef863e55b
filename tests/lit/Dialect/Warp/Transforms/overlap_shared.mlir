// A trailing product whose operand goes through shared memory: it is written, fenced and made known behind the wait for the
// product that read it last, and ahead of the loop for the first step.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

#acc = #warp.acc

// 96 registers of the leading and 32 of the trailing accumulator: 176 with the operand, of 136.
// CHECK-LABEL: warp.func @shared_operand
// CHECK-SAME: warp.decisions = ["overlap: the leading product of a step runs beside the trailing one of the step before; rescaled before"]
// CHECK: %[[P:.*]] = warp.smem_create "p"
// CHECK: scf.if
// CHECK: warp.wgmma_ss
// CHECK: warp.wgmma_wait
// CHECK: warp.store_shared %{{.*}}, %[[P]]
// CHECK-NEXT: warp.fence_async
// CHECK-NEXT: warp.warpgroup_sync
// CHECK: scf.for
// CHECK: %[[S:.*]] = warp.wgmma_ss %{{.*}} trans_b
// CHECK: %[[LEAD:.*]] = warp.wgmma_commit
// CHECK: %[[O:.*]] = warp.wgmma_ss %[[P]], %{{.*}} acc
// CHECK: %[[TRAIL:.*]] = warp.wgmma_commit
// CHECK: warp.wgmma_wait %[[LEAD]], %[[S]]
// CHECK: %[[E:.*]] = math.exp2
// CHECK-NOT: warp.store_shared
// CHECK: %[[DONE:.*]]:2 = warp.wgmma_wait %[[TRAIL]], %[[O]] carry %[[E]]
// CHECK: %[[NARROW:.*]] = arith.truncf %[[DONE]]#1
// CHECK: warp.store_shared %[[NARROW]], %[[P]]
// CHECK-NEXT: warp.fence_async
// CHECK-NEXT: warp.warpgroup_sync
// CHECK: scf.yield
// CHECK: warp.wgmma_ss %[[P]], %{{.*}} acc
// CHECK: warp.wgmma_wait
warp.func @shared_operand(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 192)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 192, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 192, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 192, 64, bf16>
  %pt = warp.smem_create "p" : !warp.smem<192, 192, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 32 {
      %qs = warp.ring_acquire %qr[%c0] : !warp.ring<1, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
      warp.ring_fill %qs bytes 24576 : !warp.slot<192, 64, bf16> {
        warp.tma_load %q[%n, %c0] axis 0 size 192 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
      scf.for %i = %c0 to %n step %c1 : i32 {
        %ks = warp.ring_acquire %kr[%i] : !warp.ring<2, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
        warp.ring_fill %ks bytes 24576 : !warp.slot<192, 64, bf16> {
          warp.tma_load %k[%i, %c0] axis 0 size 192 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
        %vs = warp.ring_acquire %vr[%i] : !warp.ring<2, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
        warp.ring_fill %vs bytes 24576 : !warp.slot<192, 64, bf16> {
          warp.tma_load %v[%i, %c0] axis 0 size 192 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 3 registers 160 {
      %qs = warp.ring_wait %qr[%c0] : !warp.ring<1, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
      %acc = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %ks = warp.ring_wait %kr[%i] : !warp.ring<2, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
        %s = warp.wgmma_ss %qs, %ks trans_b {warp.overlap} : !warp.slot<192, 64, bf16>, !warp.slot<192, 64, bf16> -> !warp.inflight<tensor<64x192xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x192xf32, #acc>> -> tensor<64x192xf32, #acc>
        warp.ring_release %ks : !warp.slot<192, 64, bf16>
        %e = math.exp2 %t : tensor<64x192xf32, #acc>
        %p = arith.truncf %e : tensor<64x192xf32, #acc> to tensor<64x192xbf16, #acc>
        %vs = warp.ring_wait %vr[%i] : !warp.ring<2, 192, 64, bf16> -> !warp.slot<192, 64, bf16>
        warp.store_shared %p, %pt : tensor<64x192xbf16, #acc>, !warp.smem<192, 192, bf16>
        warp.fence_async
        warp.warpgroup_sync
        %u = warp.wgmma_ss %pt, %vs acc %o : tensor<64x64xf32, #acc> : !warp.smem<192, 192, bf16>, !warp.slot<192, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %h = warp.wgmma_commit
        %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %vs : !warp.slot<192, 64, bf16>
        scf.yield %next : tensor<64x64xf32, #acc>
      }
      warp.ring_release %qs : !warp.slot<192, 64, bf16>
    }
  }
  warp.return
}
