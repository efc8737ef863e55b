// A loop with two products one after the other: the first of step i is issued before the second of step i - 1, and what lies
// between them runs while the second is in flight.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

#acc = #warp.acc
#row = #warp.row

// CHECK-LABEL: warp.func @attention
// CHECK-SAME: warp.decisions = ["overlap: the leading product of a step runs beside the trailing one of the step before; rescaled after; warpgroups take turns"]
// CHECK: %[[Q:.*]] = warp.ring_wait %{{.*}}[%{{.*}}] : <1, 128, 64, bf16>
// CHECK: %[[COUNT:.*]] = warp.list_count
// CHECK: %[[SOME:.*]] = arith.cmpi slt, %{{.*}}, %[[COUNT]]
// CHECK: scf.if %[[SOME]]
// The first step's leading half, alone.
// CHECK: warp.wgmma_ss %[[Q]]
// CHECK: warp.wgmma_wait
// CHECK: warp.ring_release
// CHECK: warp.pack_afrag
// CHECK: scf.for
// Issue: the leading product, in turn, then the trailing one of the step before.
// CHECK: %[[K:.*]] = warp.ring_wait
// CHECK: warp.turn_wait
// CHECK: %[[S:.*]] = warp.wgmma_ss %[[Q]], %[[K]]
// CHECK: %[[LEAD:.*]] = warp.wgmma_commit
// CHECK: %[[V:.*]] = warp.ring_wait
// CHECK: %[[O:.*]] = warp.wgmma_rs %{{.*}}, %[[V]] acc
// CHECK: %[[TRAIL:.*]] = warp.wgmma_commit
// CHECK: warp.turn_pass
// The leading product is waited for and its slot goes back; its result is computed with.
// CHECK: warp.wgmma_wait %[[LEAD]], %[[S]]
// CHECK: warp.ring_release %[[K]]
// CHECK: %[[P:.*]] = math.exp2
// CHECK: %[[PART:.*]] = warp.row_reduce
// Then the trailing one; with turns nothing is held in front of its wait (overlap_holds.test has the others). What it leaves
// is rescaled, and the next A operand is packed behind the wait.
// CHECK: %[[DONE:.*]]:2 = warp.wgmma_wait %[[TRAIL]], %[[O]] carry %[[P]] :
// CHECK-NOT: after %[[PART]]
// CHECK: warp.ring_release %[[V]]
// CHECK: arith.mulf %[[DONE]]#0
// CHECK: arith.truncf %[[DONE]]#1
// CHECK: warp.pack_afrag
// CHECK: scf.yield
// The last step's trailing half.
// CHECK: warp.ring_wait
// CHECK: warp.wgmma_rs
// CHECK: warp.wgmma_wait
// CHECK: warp.ring_release
// CHECK: } else {
// CHECK: scf.yield %{{.*}} : tensor<64x64xf32
warp.func @attention(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %x = tile.program_id 0
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  %list = warp.list_open %rows[%c0, %c0, %x] limit %n : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %qs = warp.ring_acquire %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
        warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
      %count = warp.list_count %list : !warp.list<128, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
        %ks = warp.ring_acquire %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
        %vs = warp.ring_acquire %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 2 registers 240 attributes {warp.turns} {
      %qs = warp.ring_wait %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      %count = warp.list_count %list : !warp.list<128, 128>
      %acc = scf.for %i = %c0 to %count step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %ks = warp.ring_wait %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %s = warp.wgmma_ss %qs, %ks trans_b {warp.overlap} : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
        warp.ring_release %ks : !warp.slot<128, 64, bf16>
        %e = math.exp2 %t : tensor<64x128xf32, #acc>
        %part = warp.row_reduce max %e : tensor<64x128xf32, #acc> -> tensor<64x1xf32, #row>
        %r = warp.quad_reduce max %part : tensor<64x1xf32, #row>
        %factor = warp.broadcast %r : tensor<64x1xf32, #row> -> tensor<64x64xf32, #acc>
        %scaled = arith.mulf %o, %factor : tensor<64x64xf32, #acc>
        %p = arith.truncf %e : tensor<64x128xf32, #acc> to tensor<64x128xbf16, #acc>
        %vs = warp.ring_wait %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
        %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %h = warp.wgmma_commit
        %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %vs : !warp.slot<128, 64, bf16>
        scf.yield %next : tensor<64x64xf32, #acc>
      }
      warp.ring_release %qs : !warp.slot<128, 64, bf16>
    }
  }
  warp.return
}
