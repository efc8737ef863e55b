// The programs of a thread block: the first product of one is issued before the last one of the program before, and what
// stands behind that one follows in the next program. No product stands under a condition.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots,warp-overlap-programs))' | FileCheck %s
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots,warp-overlap-programs,warp-overlap-programs))' | FileCheck %s --check-prefix=TWICE
// CHECK-NOT: RUN{{:}}

#acc = #warp.acc
#row = #warp.row

// TWICE: "programs: each ends before the next begins; a role keeps values from program to program already"

// CHECK-LABEL: warp.func @attention
// CHECK-SAME: "programs: the first product of one runs beside the last one of the program before"
// CHECK: warp.for_tiles(%[[X:.*]], %{{.*}}, %{{.*}}) carry(%[[NQ:.*]] = %{{.*}}, %[[NK:.*]] = %{{.*}})
// The ring of the last product gets a fill of any data first; its others count from 1 on.
// CHECK: warp.role producer {{.*}} enter {
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK: %[[FIRST:.*]] = warp.ring_acquire %[[VR:.*]][%[[ZERO]]]
// CHECK: warp.ring_fill %[[FIRST]] bytes 16384
// CHECK-NEXT: warp.tma_load %{{.*}}[%[[ZERO]], %[[ZERO]]]
// CHECK: } each {
// CHECK: scf.for
// CHECK: warp.ring_acquire %[[KR:.*]][%[[F:.*]]] :
// CHECK: %[[F1:.*]] = arith.addi %[[F]], %{{.*}} : i32
// CHECK: warp.ring_acquire %[[VR]][%[[F1]]]
// CHECK: } leave {
// CHECK-NEXT: }

// Before the first program: zeros, and no program to end.
// CHECK: warp.role consumer {{.*}} enter {
// CHECK: %[[NOTHING:.*]] = warp.pack_afrag
// CHECK: %[[NONE:.*]] = arith.constant false
// CHECK: warp.role_yield {{.*}}%[[NOTHING]], {{.*}}%[[NONE]] :
// CHECK: } each(%[[A:.*]]: i32, %[[P:.*]]: tensor<64x128xbf16, #warp.afrag>, %[[O:.*]]: tensor<64x64xf32, #warp.acc>, %[[ROW:.*]]: i32, %[[VALID:.*]]: i1) {
// CHECK: %[[Q:.*]] = warp.ring_wait %{{.*}}[%[[NQ]]]
// Both products, in one turn.
// CHECK: warp.turn_wait
// CHECK-NEXT: %[[S:.*]] = warp.wgmma_ss %[[Q]]
// CHECK-NEXT: %[[LEAD:.*]] = warp.wgmma_commit
// CHECK: %[[V:.*]] = warp.ring_wait %[[VR]][%[[A]]]
// CHECK-NEXT: %[[LAST:.*]] = warp.wgmma_rs %[[P]], %[[V]] acc %[[O]]
// CHECK-NEXT: %[[TRAIL:.*]] = warp.wgmma_commit
// CHECK-NEXT: warp.turn_pass
// CHECK-NEXT: warp.wgmma_wait %[[LEAD]], %[[S]]
// What is packed, and what the accumulator starts from, passes through the wait, which stays behind the arithmetic.
// CHECK: %[[E:.*]] = math.exp2
// CHECK: %[[PART:.*]] = warp.row_reduce max %[[E]]
// CHECK: %[[R:.*]] = warp.quad_reduce max %[[PART]]
// CHECK: %[[DONE:.*]]:3 = warp.wgmma_wait %[[TRAIL]], %[[LAST]] carry %[[E]], %[[R]] : {{.*}} after %[[PART]]
// CHECK-NEXT: warp.ring_release %[[V]]
// CHECK-NEXT: arith.truncf %[[DONE]]#1
// CHECK-NEXT: warp.pack_afrag
// The end of the program before, at its own place.
// CHECK-NEXT: scf.if %[[VALID]] {
// CHECK-NEXT: warp.store_global %[[DONE]]#0, %{{.*}}[%[[ROW]], %{{.*}}]
// CHECK-NEXT: }
// CHECK-NEXT: warp.broadcast %[[DONE]]#2
// CHECK: %[[STEADY:.*]]:{{.*}} = scf.for
// CHECK: warp.ring_wait %[[VR]][%
// The slot of the beginning goes back in its own program.
// CHECK: warp.ring_release %[[Q]]
// CHECK-NOT: warp.wgmma_rs
// CHECK: %[[YES:.*]] = arith.constant true
// CHECK: warp.role_yield %{{.*}}, %[[STEADY]]#{{.*}}, %[[STEADY]]#{{.*}}, %[[X]], %[[YES]]
// After the last program.
// CHECK: } leave(%[[A2:.*]]: i32, %[[P2:.*]]: tensor<64x128xbf16, #warp.afrag>, %[[O2:.*]]: tensor<64x64xf32, #warp.acc>, %[[ROW2:.*]]: i32, %[[VALID2:.*]]: i1) {
// CHECK: %[[V2:.*]] = warp.ring_wait %[[VR]][%[[A2]]]
// CHECK: warp.wgmma_rs %[[P2]], %[[V2]] acc %[[O2]]
// CHECK: warp.wgmma_wait
// CHECK: warp.ring_release %[[V2]]
// CHECK: scf.if %[[VALID2]] {
// CHECK-NEXT: warp.store_global {{.*}}[%[[ROW2]],
warp.func @attention(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}
