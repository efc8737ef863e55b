// Shared tiles that consumers write: stmatrix by swizzled address, one thread's copies, barriers of a warpgroup.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// Two chunks of 128 rows x 128 bytes; each warpgroup stores a box of 64 rows by 64 columns of each. The map of the output comes
// with a box of 64 rows.
// CHECK-LABEL: llvm.func @leaves(
// CHECK-SAME: %[[MAP:arg0]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}
// CHECK-SAME: lacuna.launch = {{{.*}}shared_bytes = 32768 : i64, tensor_maps = {{\[\[}}0, 0, 64, 1]]
// CHECK: %[[BASE:[0-9]+]] = llvm.ptrtoint
// CHECK: %[[LANE:[0-9]+]] = arith.andi %{{.*}}, %c31_i32
// CHECK: %[[WG:[0-9]+]] = arith.addi %{{.*}}, %c-1_i32
// CHECK: cp.async.bulk.wait_group.read 0;
// Barrier 8 + w: the warpgroup's number counts the producer, too.
// CHECK: %[[ID:[0-9]+]] = arith.addi %{{.*}}, %c7_i32
// CHECK: bar.sync $0, 128;", "r,~{memory}" %[[ID]]
// The address of lane l: row 64 w + 16 warp + l % 16, and within its 128 bytes the unit l / 16, exchanged by l % 8.
// CHECK: %[[OWN:[0-9]+]] = arith.muli %[[WG]], %c64_i32
// CHECK: %[[L16:[0-9]+]] = arith.andi %[[LANE]], %c15_i32
// CHECK: arith.muli %{{.*}}, %c128_i32
// CHECK: %[[UPPER:[0-9]+]] = arith.shrui %[[LANE]], %c4_i32
// CHECK: %[[L8:[0-9]+]] = arith.andi %[[LANE]], %c7_i32
// CHECK: %[[X:[0-9]+]] = arith.xori %[[UPPER]], %[[L8]]
// CHECK: %[[UNIT:[0-9]+]] = arith.muli %[[X]], %c16_i32
// CHECK: %[[ADDRESS:[0-9]+]] = arith.addi %{{.*}}, %[[UNIT]]
// CHECK: xor.b32 A, $0, 0; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+0], {$1, $2, $3, $4};{{.*}} %[[ADDRESS]],
// CHECK: xor.b32 A, $0, 32; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+0], {$1, $2, $3, $4};{{.*}} %[[ADDRESS]],
// CHECK: xor.b32 A, $0, 64; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+0]
// CHECK: xor.b32 A, $0, 96; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+0]
// The second chunk.
// CHECK: xor.b32 A, $0, 0; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+16384]
// CHECK-COUNT-3: stmatrix
// CHECK-NOT: stmatrix
// CHECK: fence.proxy.async.shared::cta;
// CHECK: bar.sync $0, 128;", "r,~{memory}" %[[ID]]
// CHECK: %[[THREAD:[0-9]+]] = arith.andi %{{.*}}, %c127_i32
// CHECK: %[[FIRST:[0-9]+]] = arith.cmpi eq, %[[THREAD]], %c0_i32
// CHECK: scf.if %[[FIRST]] {
// CHECK: %[[ROW:[0-9]+]] = arith.addi %{{.*}}, %[[OWN]]
// CHECK: cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [$0, {$2, $3}], [$1];", "l,r,r,r,~{memory}" %[[MAP]], %{{.*}}, %c0_i32, %[[ROW]]
// CHECK: cp.async.bulk.tensor.2d.global.shared::cta.bulk_group {{.*}} %[[MAP]], %{{.*}}, %c64_i32, %[[ROW]]
// CHECK-NEXT: cp.async.bulk.commit_group;
// CHECK-NEXT: {{^ +[}]$}}
// Before the threads leave.
// CHECK-NEXT: cp.async.bulk.wait_group.read 0;
// CHECK-NOT: cp.async
warp.func @leaves(%o: !tile.view<[M, 128], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = warp.smem_create "o" : !warp.smem<128, 128, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %one = arith.constant 1.0 : bf16
      %v = warp.broadcast %one : bf16 -> tensor<64x128xbf16, #warp.acc>
      warp.tma_store_wait
      warp.warpgroup_sync
      warp.store_shared %v, %t : tensor<64x128xbf16, #warp.acc>, !warp.smem<128, 128, bf16>
      warp.fence_async
      warp.warpgroup_sync
      warp.tma_store %t, %o[%n, %c0] axis 0 : !warp.smem<128, 128, bf16>, !tile.view<[M, 128], bf16>
    }
  }
  warp.return
}

// A product reads the warpgroup's rows of a written tile: one descriptor, its steps added within the instruction's text, so that
// a loop keeps no register for each.
// CHECK-LABEL: llvm.func @operand(
// CHECK: %[[WG:[0-9]+]] = arith.addi %{{.*}}, %c-1_i32
// CHECK: stmatrix
// CHECK: %[[OWN:[0-9]+]] = arith.muli %[[WG]], %c8192_i32
// CHECK: %[[AT:[0-9]+]] = arith.addi %{{.*}}, %[[OWN]]
// CHECK: %[[SHIFTED:[0-9]+]] = arith.shrui %[[AT]], %c4_i32
// CHECK: %[[LOW:[0-9]+]] = arith.andi %[[SHIFTED]], %c16383_i32
// CHECK: %[[WIDE:[0-9]+]] = arith.extui %[[LOW]]
// CHECK: %[[A:[0-9]+]] = arith.ori %[[WIDE]]
// CHECK: wgmma.fence
// CHECK: "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {{.*}}, $32, $33, 0, 1, 1, 0, 1;\0A\09
// CHECK-SAME: { .reg .b64 A; add.s64 A, $34, 2; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {{.*}}, A, $35, 1, 1, 1, 0, 1; }\0A\09
// CHECK-SAME: { .reg .b64 A; add.s64 A, $36, 4; wgmma
// CHECK-SAME: { .reg .b64 A; add.s64 A, $38, 6; wgmma
// CHECK-SAME: %[[A]], %{{[a-z0-9_]+}}, %[[A]], %{{[a-z0-9_]+}}, %[[A]], %{{[a-z0-9_]+}}, %[[A]], %
warp.func @operand(%x: !tile.view<[N, 64], bf16>, %v: bf16) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<128, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %p = warp.broadcast %v : bf16 -> tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.store_shared %p, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<128, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      %a = warp.wgmma_ss %t, %s : !warp.smem<128, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}
