// A kernel with a sparse loop: a preamble that both roles use, a ring for each load that a product reads, a producer with
// the copies and nothing else, consumers with the computation.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// RUN: lacuna-opt %s --tile-to-warp=stages=3 | FileCheck %s --check-prefix=STAGES
// CHECK-NOT: tile.func
// STAGES-NOT: tile.func

// Rings come first, then programs one after the other: what both roles use of a program's place, and the roles.
// CHECK-LABEL: warp.func @sparse(
// CHECK-SAME: %[[Q:.*]]: !tile.view<[M, 64], bf16> {tile.name = "q"}, %[[K:.*]]: !tile.view<[N, 64], bf16> {tile.name = "k"},
// CHECK-SAME: constraints = ["M > 0"], dims = ["M", "N"], grid = ["ceildiv(M, 128)"]
// CHECK: %[[RING_Q:.*]] = warp.ring_create "q" : <2, 128, 64, bf16>
// CHECK: %[[RING_K:.*]] = warp.ring_create "k" : <2, 64, 64, bf16>
// CHECK: warp.for_tiles(%[[X:.*]], %{{.*}}, %{{.*}}) carry(%[[FILLS_Q:.*]] = %{{.*}}, %[[FILLS_K:.*]] = %{{.*}}) {
// CHECK: %[[ROW0:.*]] = arith.muli %[[X]]
// CHECK: %[[LIST:.*]] = warp.list_open %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] limit %[[N:.*]] nonempty : <128, 64, [1, 1]> -> <64, 64>
// CHECK: warp.roles {

// CHECK: warp.role producer warpgroups 1 registers 40 {
// CHECK:   %[[E:.*]] = warp.ring_acquire %[[RING_Q]][%[[FILLS_Q]]] :
// CHECK:   warp.ring_fill %[[E]] bytes 16384
// CHECK:     warp.tma_load %[[Q]][%[[ROW0]], %{{.*}}] axis 0 size 128 by 64 at 0, 0
// CHECK:   %[[COUNT:.*]] = warp.list_count %[[LIST]]
// The loop carries the number of the fill, and no tile.
// CHECK:   scf.for %[[I:.*]] = %{{.*}} to %[[COUNT]] step %{{.*}} iter_args(%[[FILL:.*]] = %[[FILLS_K]]) -> (i32) : i32 {
// CHECK:     %{{.*}}, %{{.*}}, %[[START:.*]] = warp.list_step %[[LIST]][%[[I]]] : <64, 64> -> i32
// CHECK:     %[[EK:.*]] = warp.ring_acquire %[[RING_K]][%[[FILL]]]
// CHECK:     warp.ring_fill %[[EK]] bytes 8192
// CHECK:       warp.tma_load %[[K]][%[[START]], %{{.*}}] axis 0 size 64 by 64 at 0, 0
// CHECK:     %[[NEXT:.*]] = arith.addi %[[FILL]], %{{.*}}
// CHECK-NOT: wgmma
// CHECK-NOT: math.exp2
// CHECK:     scf.yield %[[NEXT]] : i32

// CHECK: warp.role consumer warpgroups 2 registers 232 {
// Before the first product that reads it, which is in the loop: so before the loop. Released after it.
// CHECK:   %[[SQ:.*]] = warp.ring_wait %[[RING_Q]][%{{.*}}]
// CHECK:   warp.list_count %[[LIST]]
// CHECK:   %[[LOOP:.*]]:2 = scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[N0:.*]] = %{{.*}}) -> (tensor<64x64xf32, #warp.acc>, i32) : i32 {
// CHECK:     warp.list_step %[[LIST]]
// CHECK:     %[[SK:.*]] = warp.ring_wait %[[RING_K]][%[[N0]]]
// CHECK:     %[[S:.*]] = warp.wgmma_ss %[[SQ]], %[[SK]] trans_b {warp.overlap} : !warp.slot<128, 64, bf16>, <64, 64, bf16>
// CHECK:     %[[G:.*]] = warp.wgmma_commit
// CHECK:     %[[W:.*]] = warp.wgmma_wait %[[G]], %[[S]]
// CHECK-NOT: warp.ring_release
// CHECK:     %[[E2:.*]] = math.exp2 %[[W]] : tensor<64x64xf32, #warp.acc>
// CHECK:     %[[T:.*]] = arith.truncf %[[E2]] : tensor<64x64xf32, #warp.acc> to tensor<64x64xbf16, #warp.acc>
// The slot is read twice: waited for once, released after the second product.
// CHECK-NOT: warp.ring_wait
// CHECK:     %[[A:.*]] = warp.pack_afrag %[[T]] :
// CHECK:     %[[O:.*]] = warp.wgmma_rs %[[A]], %[[SK]] acc %[[ACC]] :
// CHECK:     warp.wgmma_commit
// CHECK:     warp.wgmma_wait %{{.*}}, %[[O]]
// CHECK:     warp.ring_release %[[SK]]
// CHECK:     scf.yield
// CHECK:   }
// An empty row has a step of padding, whose result is not taken.
// CHECK-NEXT: %[[PADDED:.*]] = warp.list_padded %[[LIST]]
// CHECK-NEXT: %[[RESULT:.*]] = arith.select %[[PADDED]], %{{.*}}, %[[LOOP]]#0
// CHECK-NEXT: warp.ring_release %[[SQ]]
// CHECK:   warp.store_global %[[RESULT]], %{{.*}}[%[[ROW0]], %{{.*}}] sizes [128, 64] : tensor<64x64xf32, #warp.acc>
// The next program's fills go on counting.
// CHECK: %[[NEXT_Q:.*]] = arith.addi %[[FILLS_Q]], %{{.*}} : i32
// CHECK: %[[STEPS:.*]] = warp.list_count %[[LIST]]
// CHECK: %[[NEXT_K:.*]] = arith.addi %[[FILLS_K]], %[[STEPS]] : i32
// CHECK: warp.next_tile %[[NEXT_Q]], %[[NEXT_K]] : i32, i32
// CHECK: warp.return

// A load outside loops happens once a program, whatever the stages: its second slot is for the next program's.
// STAGES: warp.ring_create "q" : <2, 128, 64, bf16>
// STAGES: warp.ring_create "k" : <3, 64, 64, bf16>
tile.func @sparse(%q: !tile.view<[M, 64], bf16> {tile.name = "q"}, %k: !tile.view<[N, 64], bf16> {tile.name = "k"},
                  %rows: !tile.blocks<128, 64, [1, 1]>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"], constraints = ["M > 0"]} {
  %c0 = arith.constant 0 : i32
  %c128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %row0 = arith.muli %p, %c128 : i32
  %tq = tile.load %q[%row0, %c0] sizes [128, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<128x64xbf16>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n init(%acc = %zero) : !tile.blocks<128, 64, [1, 1]>, tensor<128x64xf32> {
    %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %kt = tile.transpose %tk : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %tq, %kt : tensor<128x64xbf16>, tensor<64x64xbf16> -> tensor<128x64xf32>
    %e = math.exp2 %s : tensor<128x64xf32>
    %et = arith.truncf %e : tensor<128x64xf32> to tensor<128x64xbf16>
    %o = tile.dot %et, %tk acc %acc : tensor<128x64xf32> : tensor<128x64xbf16>, tensor<64x64xbf16> -> tensor<128x64xf32>
    tile.yield %o : tensor<128x64xf32>
  }
  tile.store %r, %y[%row0, %c0] sizes [128, 64] : tensor<128x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// One warpgroup for each 64 rows. The schedule's depths take the place of the stages, by the loads' ring numbers.
// CHECK-LABEL: warp.func @one_warpgroup
// CHECK: warp.ring_create "ring0" : <4, 64, 64, f16>
// CHECK: warp.ring_create "ring1" : <2, 64, 64, f16>
// CHECK: warp.role producer warpgroups 1 registers 40
// CHECK: warp.role consumer warpgroups 1 registers 216
tile.func @one_warpgroup(%a: !tile.view<[M, K], f16>, %b: !tile.view<[K, 64], f16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "K"], grid = ["ceildiv(M, 64)"], schedule = {ring_depths = array<i64: 4>}} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "K"
  %row0 = arith.muli %p, %c64 : i32
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %ta = tile.load %a[%row0, %i] sizes [64, 64] {ring = 0 : i32} : (!tile.view<[M, K], f16>, i32, i32) -> tensor<64x64xf16>
    %tb = tile.load %b[%i, %c0] sizes [64, 64] : (!tile.view<[K, 64], f16>, i32, i32) -> tensor<64x64xf16>
    %s = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  tile.store %r, %y[%row0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// Three leave fewer registers to each. A transposed first operand.
// CHECK-LABEL: warp.func @three_warpgroups
// CHECK: warp.role producer warpgroups 1 registers 32
// CHECK: warp.role consumer warpgroups 3 registers 160
// CHECK: warp.wgmma_ss %{{.*}} trans_a, %{{.*}} : !warp.slot<16, 192, f16>, <16, 64, f16> -> <tensor<64x64xf32, #warp.acc>>
tile.func @three_warpgroups(%a: !tile.view<[K, M], f16>, %b: !tile.view<[K, 64], f16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c192 = arith.constant 192 : i32
  %p = tile.program_id 0
  %row0 = arith.muli %p, %c192 : i32
  %ta = tile.load %a[%c0, %row0] sizes [16, 192] : (!tile.view<[K, M], f16>, i32, i32) -> tensor<16x192xf16>
  %at = tile.transpose %ta : tensor<16x192xf16> -> tensor<192x16xf16>
  %tb = tile.load %b[%c0, %c0] sizes [16, 64] : (!tile.view<[K, 64], f16>, i32, i32) -> tensor<16x64xf16>
  %s = tile.dot %at, %tb : tensor<192x16xf16>, tensor<16x64xf16> -> tensor<192x64xf32>
  tile.store %s, %y[%row0, %c0] sizes [192, 64] : tensor<192x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}
