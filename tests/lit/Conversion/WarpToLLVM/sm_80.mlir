// sm_80, one thread's view: 32 threads copy, each warp multiplies its rows, no instruction of a later machine.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s --check-prefix=NONE
// CHECK-NOT: RUN{{:}}
// NONE-NOT: cp.async.bulk
// NONE-NOT: wgmma
// NONE-NOT: setmaxnreg
// NONE-NOT: fence.mbarrier_init
// NONE-NOT: try_wait

// No tensor maps; the copied views must be aligned to 16 bytes. 160 threads: four warps compute, the last one copies.
// CHECK-LABEL: llvm.func @products(
// CHECK-SAME: %arg0: !llvm.ptr<1>, %[[SB:arg1]]: i64, %[[SN:arg2]]: i64, %arg3: !llvm.ptr<1>, %[[SM:arg4]]: i64, %arg5: !llvm.ptr<1>, %arg6: i64, %[[ROW:arg7]]: i32, %[[COL:arg8]]: i32, %[[B:arg9]]: i32, %[[N:arg10]]: i32, %[[M:arg11]]: i32, %[[K:arg12]]: i32)
// CHECK-SAME: alignments = {{\[}}[0, 16], [1, 16], [2, 8]], shared_bytes = 24640 : i64, tensor_maps = [], threads = 160 : i64
// CHECK-SAME: nvvm.maxnreg = 240 : i32, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 160>
// CHECK: %[[BASE:[0-9]+]] = llvm.ptrtoint
// CHECK: %[[WG:[0-9]+]] = llvm.inline_asm has_side_effects "shfl.sync.idx.b32
// CHECK: %[[LANE:[0-9]+]] = arith.andi %{{.*}}, %c31_i32

// A full barrier counts the 32 threads whose copies land; an empty one a lane of each of four warps.
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 32;"
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 4;"
// CHECK: bar.sync 0;
// CHECK: %[[COPIES:[0-9]+]] = arith.cmpi eq, %[[WG]], %c1_i32
// CHECK: scf.if %[[COPIES]] {
// Lanes look for themselves: no uniform branch.
// CHECK: mbarrier.test_wait.parity.shared::cta.b64 P, [$0], $1; @!P bra WAIT

// Lane l copies the unit l % 8 of the rows l / 8, l / 8 + 4, …; in the slot the unit is exchanged by the row.
// CHECK: %[[U:[0-9]+]] = arith.andi %[[LANE]], %c7_i32
// CHECK: %[[OWN:[0-9]+]] = arith.muli %[[U]], %c8_i32
// CHECK: %[[R:[0-9]+]] = arith.shrui %[[LANE]], %c3_i32
// CHECK: arith.xori %[[LANE]], %[[R]]
// 64 rows in blocks of 16: four positions of one axis by 16 of the next, each within its end.
// CHECK: scf.for %{{.*}} = %c0_i32 to %c4_i32
// CHECK: %[[AT:[0-9]+]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: %[[OUTER:[0-9]+]] = arith.divui %{{.*}}, %c16_i32
// CHECK: %[[INB:[0-9]+]] = arith.cmpi ult, %[[OUTER]], %[[B]]
// CHECK: arith.muli %{{.*}}, %[[SB]] : i64
// CHECK: %[[INNER:[0-9]+]] = arith.remui %{{.*}}, %c16_i32
// CHECK: %[[POSITION:[0-9]+]] = arith.addi %[[ROW]], %[[INNER]]
// CHECK: %[[INN:[0-9]+]] = arith.cmpi ult, %[[POSITION]], %[[N]]
// CHECK: %[[IN:[0-9]+]] = arith.andi %[[INB]], %[[INN]]
// CHECK: arith.muli %{{.*}}, %[[SN]] : i64
// CHECK: %[[BYTES:[0-9]+]] = arith.select %[[IN]], %c16_i32, %c0_i32
// CHECK: "cp.async.cg.shared.global [$0+0], [$1], 16, $2;", "r,l,r,~{memory}" %[[AT:[0-9]+]], %{{.*}}, %[[BYTES]]
// CHECK: %[[FLIPPED:[0-9]+]] = arith.xori %[[AT]], %c64_i32
// CHECK: "cp.async.cg.shared.global [$0+512], [$1], 16, $2;", "r,l,r,~{memory}" %[[FLIPPED]],
// CHECK: "cp.async.cg.shared.global [$0+1024], [$1], 16, $2;", "r,l,r,~{memory}" %[[AT]],
// CHECK: "cp.async.cg.shared.global [$0+1536], [$1], 16, $2;", "r,l,r,~{memory}" %[[FLIPPED]],
// CHECK: }
// CHECK-NEXT: "cp.async.mbarrier.arrive.noinc.shared.b64 [$0];"

// Columns that end anywhere: of 16 bytes those that the view has. The second chunk has 16 columns, which two lanes of
// eight copy.
// CHECK: %[[C:[0-9]+]] = arith.addi %[[COL]], %[[OWN]]
// CHECK: %[[LEFT:[0-9]+]] = arith.subi %[[K]], %[[C]]
// CHECK: %[[SOME:[0-9]+]] = arith.minsi %[[LEFT]], %c8_i32
// CHECK: %[[INK:[0-9]+]] = arith.cmpi ult, %[[C]], %[[K]]
// CHECK: %[[TWICE:[0-9]+]] = arith.muli %[[SOME]], %c2_i32
// CHECK: arith.select %[[INK]], %[[TWICE]], %c0_i32
// CHECK: %[[TWO:[0-9]+]] = arith.cmpi ult, %[[OWN]], %c16_i32
// CHECK: "cp.async.cg.shared.global [$0+0]
// CHECK: "@$3 cp.async.cg.shared.global [$0+4096], [$1], 16, $2;", "r,l,r,b,~{memory}" %{{.*}}, %{{.*}}, %{{.*}}, %[[TWO]]
// The other run lies 16 rows below.
// CHECK: arith.addi %[[BASE]], %c10240_i32
// CHECK-COUNT-8: cp.async.cg.shared.global
// CHECK-NEXT: "cp.async.mbarrier.arrive.noinc.shared.b64 [$0];"
// CHECK-NEXT: cp.async.wait_all;

// V as it lies, [k][n]: transposed by ldmatrix. Two k-steps of 16 rows; five pairs of eight columns, the fifth in the next
// chunk.
// CHECK: } else {
// CHECK-COUNT-2: mbarrier.test_wait
// CHECK: %[[L8:[0-9]+]] = arith.andi %[[LANE]], %c7_i32
// CHECK: %[[V:[0-9]+]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: %[[V1:[0-9]+]] = arith.xori %[[V:[0-9]+]], %c32_i32
// CHECK: %[[V2:[0-9]+]] = arith.xori %[[V]], %c64_i32
// CHECK: %[[V3:[0-9]+]] = arith.xori %[[V]], %c96_i32
// CHECK: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {$0, $1, $2, $3}, [$4+0];", "=r,=r,=r,=r,r,~{memory}" %[[V]]
// CHECK-COUNT-2: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+0];{{.*}} %[[V1]]
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+0];{{.*}} %[[V2]]
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+0];{{.*}} %[[V3]]
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+4096];{{.*}} %[[V]] :
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+2048];{{.*}} %[[V]] :
// CHECK: ldmatrix{{.*}}.trans{{.*}} [$4+6144];{{.*}} %[[V]] :
// The same tile as [n][k]: not transposed; five k-steps, two pairs.
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK-COUNT-9: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// A from shared memory: a fragment and four pairs for each of four k-steps; then with A transposed, the 16 columns of the
// warp chosen by a flip of its own.
// CHECK-COUNT-20: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// CHECK-COUNT-19: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// CHECK-NOT: ldmatrix
// All lanes have read before one hands the slot back.
// CHECK: bar.warp.sync 0xffffffff;
// CHECK-NEXT: arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK: mbarrier.arrive.shared::cta.b64
// The computing threads alone meet for a reduction.
// CHECK: bar.sync 1, 128;

warp.func @products(%q: !tile.view<[B, N, 64], bf16>, %k: !tile.view<[M, K], bf16>, %o: !tile.view<[64, 64], f32> {tile.output}, %row: i32, %col: i32) attributes {dims = ["B", "N", "M", "K"], grid = ["1"], warp.target = "sm_80"} {
  %c0 = arith.constant 0 : i32
  %rq = warp.ring_create "q" : !warp.ring<1, 64, 64, bf16>
  %rk = warp.ring_create "k" : !warp.ring<2, 32, 80, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 240 {
      %sq = warp.ring_acquire %rq[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %sq bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.async_load %q[%c0, %row, %c0] axis 1 size 16 by 64 outer 4 at 0, 0 : !tile.view<[B, N, 64], bf16>
      }
      %sk = warp.ring_acquire %rk[%c0] : !warp.ring<2, 32, 80, bf16> -> !warp.slot<32, 80, bf16>
      warp.ring_fill %sk bytes 8192 : !warp.slot<32, 80, bf16> {
        warp.async_load %k[%row, %col] axis 0 size 16 by 80 at 0, 0 : !tile.view<[M, K], bf16>
        warp.async_load %k[%row, %col] axis 0 size 16 by 80 at 16, 0 : !tile.view<[M, K], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 240 {
      %sq = warp.ring_wait %rq[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      %sk = warp.ring_wait %rk[%c0] : !warp.ring<2, 32, 80, bf16> -> !warp.slot<32, 80, bf16>
      %p = arith.constant dense<1.0> : tensor<64x32xbf16, #warp.acc>
      %a = warp.pack_afrag %p : tensor<64x32xbf16, #warp.acc> -> tensor<64x32xbf16, #warp.afrag>
      %s = warp.mma_sync %a, %sk : tensor<64x32xbf16, #warp.afrag>, !warp.slot<32, 80, bf16> -> tensor<64x80xf32, #warp.acc>
      %t = arith.truncf %s : tensor<64x80xf32, #warp.acc> to tensor<64x80xbf16, #warp.acc>
      %b = warp.pack_afrag %t : tensor<64x80xbf16, #warp.acc> -> tensor<64x80xbf16, #warp.afrag>
      %u = warp.mma_sync %b, %sk trans_b : tensor<64x80xbf16, #warp.afrag>, !warp.slot<32, 80, bf16> -> tensor<64x32xf32, #warp.acc>
      %v = warp.mma_sync %sq, %sq trans_b : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
      %w = warp.mma_sync %sq trans_a, %sq acc %v : tensor<64x64xf32, #warp.acc> : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %sq : !warp.slot<64, 64, bf16>
      warp.ring_release %sk : !warp.slot<32, 80, bf16>
      warp.store_global %w, %o[%c0, %c0] sizes [64, 64] : tensor<64x64xf32, #warp.acc>, !tile.view<[64, 64], f32>
      %x = warp.row_reduce add %u : tensor<64x32xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
      %y = warp.block_reduce add %x barrier 1 : tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}
