// A whole kernel of two consumer warpgroups, one thread's view: parameters, barriers, roles, copies, products, stores.
// RUN: lacuna-opt %s --lower-warp | FileCheck %s
// CHECK-NOT: RUN{{:}}
// CHECK: llvm.mlir.global external @lacuna_shared_memory() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// Tensor maps first, by value; then each argument's fields; then the dimensions.
// CHECK-LABEL: llvm.func @product(
// CHECK-SAME: %[[MAPA:[a-z0-9_]+]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant},
// CHECK-SAME: %[[MAPB:[a-z0-9_]+]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant},
// CHECK-SAME: %arg2: !llvm.ptr<1>, %arg3: i64, %arg4: i64,
// CHECK-SAME: %arg5: !llvm.ptr<1>, %arg6: i64,
// CHECK-SAME: %arg7: !llvm.ptr<1>, %arg8: i64, %arg9: f32, %[[M:arg10]]: i32, %arg11: i32)
// What the launch must know: the alignment of 8 bytes is that of the paired stores to argument 2.
// 32768 of a + 2 x 16384 of b + 3 x 16 of barriers.
// CHECK-SAME: lacuna.launch = {alignments = {{\[}}[2, 8]], shared_bytes = 65584 : i64, tensor_maps = {{\[}}[0, 1, 128, 1], [1, 0, 64, 1]], threads = 384 : i64}
// CHECK-SAME: nvvm.kernel, nvvm.maxnreg = 168 : i32, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 384>

// CHECK: %[[BASE:[a-z0-9_]+]] = llvm.ptrtoint %{{.*}} : !llvm.ptr<3> to i32
// CHECK: %[[TID:[a-z0-9_]+]] = nvvm.read.ptx.sreg.tid.x : i32
// CHECK: %[[WG:[a-z0-9_]+]] = llvm.inline_asm has_side_effects "shfl.sync.idx.b32 $0, $1, 0, 31, 0xffffffff;", "=r,r"

// A full barrier counts the one thread that expects bytes; an empty one a lane of each of eight consumer warps.
// CHECK: %[[FIRST:[a-z0-9_]+]] = arith.cmpi eq, %[[TID]], %{{.*}} : i32
// CHECK: scf.if %[[FIRST]] {
// CHECK: %[[FULLA:[a-z0-9_]+]] = arith.addi %[[BASE]], %c65536_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 1;", "r" %[[FULLA]]
// CHECK: %[[EMPTYA:[a-z0-9_]+]] = arith.addi %[[BASE]], %c65544_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 8;", "r" %[[EMPTYA]]
// CHECK: arith.addi %[[BASE]], %c65552_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 1;"
// CHECK: arith.addi %[[BASE]], %c65568_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 8;"
// CHECK: arith.addi %[[BASE]], %c65560_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 1;"
// CHECK: arith.addi %[[BASE]], %c65576_i32
// CHECK: "mbarrier.init.shared::cta.b64 [$0], 8;"
// CHECK: "fence.mbarrier_init.release.cluster;"
// CHECK: }
// CHECK-NEXT: "bar.sync 0;", "~{memory}"

// The first warpgroup gives registers back; one thread of it works.
// CHECK: scf.if %{{.*}} {
// CHECK-NEXT: "setmaxnreg.dec.sync.aligned.u32 24;"
// CHECK: arith.cmpi eq, %[[TID]],
// CHECK-NEXT: scf.if
// A fresh barrier lets the first acquire pass: the parity is that of the phase before.
// CHECK: %[[PARITY:[a-z0-9_]+]] = arith.andi
// CHECK: %[[BEFORE:[a-z0-9_]+]] = arith.xori %[[PARITY]], %c1_i32
// CHECK: "{ .reg .pred P; WAIT${:uid}: mbarrier.try_wait.parity.shared::cta.b64 P, [$0], $1; @!P bra.uni WAIT${:uid}; }", "r,r,~{memory}" %{{.*}}, %[[BEFORE]]
// CHECK: "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 32768;"
// Coordinates innermost first; the second chunk of 64 columns lands 128 rows x 128 bytes further.
// CHECK: "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {$3, $4, $5}], [$2];", "r,l,r,r,r,r,~{memory}" %[[SLOT:[a-z0-9_]+]], %[[MAPA]], %{{.*}}, %[[COL:[a-z0-9_]+]], %[[ROW:[a-z0-9_]+]], %[[BATCH:[a-z0-9_]+]] :
// CHECK: %[[COL2:[a-z0-9_]+]] = arith.addi %[[COL]], %c64_i32
// CHECK: %[[SLOT2:[a-z0-9_]+]] = arith.addi %[[SLOT]], %c16384_i32
// CHECK: "cp.async.bulk.tensor.3d{{.*}} %[[SLOT2]], %[[MAPA]], %{{.*}}, %[[COL2]], %[[ROW]], %[[BATCH]] :
// Two runs into one slot: the second 64 rows x 128 bytes further, in each chunk.
// CHECK: scf.for
// CHECK: arith.remui %{{.*}}, %c2_i32
// CHECK: arith.divui %{{.*}}, %c2_i32
// CHECK: "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 16384;"
// CHECK: "cp.async.bulk.tensor.2d{{.*}}[$1, {$3, $4}]{{.*}} %[[SLOTB:[a-z0-9_]+]], %[[MAPB]],
// CHECK: %[[RUN2:[a-z0-9_]+]] = arith.addi %[[SLOTB]], %c8192_i32
// CHECK: "cp.async.bulk.tensor.2d{{.*}} %[[RUN2]], %[[MAPB]],

// The others take them.
// CHECK: } else {
// CHECK-NEXT: "setmaxnreg.inc.sync.aligned.u32 240;"
// CHECK: mbarrier.try_wait.parity
// CHECK: mbarrier.try_wait.parity
// B is stored [k][n]: descriptor with 128-byte swizzle (1 << 62), stride 1024 >> 4, leading 128 rows x 128 bytes >> 4.
// CHECK: %[[DESCB:[a-z0-9_]+]] = arith.constant 4611686293372403712 : i64
// CHECK: arith.ori %{{.*}}, %[[DESCB]] : i64
// A is stored [m][k], its own 64 rows: 8,192 bytes on for each warpgroup. Leading offset 1 (ignored).
// CHECK: arith.muli %{{.*}}, %c8192_i32
// CHECK: %[[DESCA:[a-z0-9_]+]] = arith.constant 4611686293305360384 : i64
// CHECK: arith.ori %{{.*}}, %[[DESCA]] : i64
// CHECK: "wgmma.fence.sync.aligned;"
// Each step's operands lie one 16-deep slice further: 16 rows x 128 bytes of B, 32 bytes of A; A's fifth lies in its next
// chunk, 128 rows x 128 bytes on.
// CHECK: %[[STEP:[a-z0-9_]+]] = arith.constant 128 : i64
// CHECK: %[[B1:[a-z0-9_]+]] = arith.addi %{{.*}}, %[[STEP]] : i64
// CHECK: %[[STEPA:[a-z0-9_]+]] = arith.constant 2 : i64
// CHECK: %[[A1:[a-z0-9_]+]] = arith.addi %{{.*}}, %[[STEPA]] : i64
// CHECK: arith.constant 512 : i64
// CHECK: %[[CHUNK:[a-z0-9_]+]] = arith.constant 1024 : i64
// CHECK: arith.addi %{{.*}}, %[[CHUNK]] : i64
// All eight steps are one piece of assembly. The first ignores the registers (scale-d 0); all write them early.
// CHECK: "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,[[ACC:[^}]*]],$31}, $32, $33, 0, 1, 1, 0, 1;\0A\09
// CHECK-SAME: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,[[ACC]],$31}, $34, $35, 1, 1, 1, 0, 1;\0A\09
// CHECK-SAME: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,[[ACC]],$31}, $46, $47, 1, 1, 1, 0, 1;"
// CHECK-SAME: "=&f,=&f,{{[=&f,]*}}=&f,l,l,l,l,l,l,l,l,l,l,l,l,l,l,l,l" %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}}, %[[A1]], %[[B1]],
// CHECK-NOT: "wgmma.mma_async
// CHECK: "wgmma.commit_group.sync.aligned;"
// The wait hands over the registers: nothing that reads them can move above it.
// CHECK: "wgmma.wait_group.sync.aligned 0;", "=f,{{[=f,]*}}=f,0,1,{{[0-9,]*}},31" %{{.*}} : (f32,
// One lane of each warp releases.
// CHECK: %[[LANE0:[a-z0-9_]+]] = arith.cmpi eq, %{{.*}}, %{{.*}} : i32
// CHECK: "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b,~{memory}" %{{.*}}, %[[LANE0]]
// Rows past M are dropped; columns are known to lie inside, and are stored in pairs.
// CHECK: %[[IN:[a-z0-9_]+]] = arith.cmpi ult, %{{.*}}, %[[M]] : i32
// CHECK-NEXT: scf.if %[[IN]] {
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<1>
// CHECK-NOT: arith.cmpi ult
// CHECK: }
// CHECK: %[[IN2:[a-z0-9_]+]] = arith.cmpi ult, %{{.*}}, %[[M]] : i32
// CHECK-NEXT: scf.if %[[IN2]] {
// CHECK: llvm.return
warp.func @product(%a: !tile.view<[B, M, 128], bf16>, %b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output},
                   %scale: f32) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %p = tile.program_id 0
  %batch = tile.program_id 1
  %ra = warp.ring_create "a" : !warp.ring<1, 128, 128, bf16>
  %rb = warp.ring_create "b" : !warp.ring<2, 128, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %ra[%c0] : !warp.ring<1, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
      warp.ring_fill %s bytes 32768 : !warp.slot<128, 128, bf16> {
        warp.tma_load %a[%batch, %p, %c0] axis 1 size 128 by 128 at 0, 0 : !tile.view<[B, M, 128], bf16>
      }
      scf.for %i = %c0 to %p step %c1 : i32 {
        %sb = warp.ring_acquire %rb[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %sb bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          warp.tma_load %b[%p, %c0] axis 0 size 64 by 64 at 64, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %s = warp.ring_wait %ra[%c0] : !warp.ring<1, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
      scf.for %i = %c0 to %p step %c1 : i32 {
        %sb = warp.ring_wait %rb[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %d = warp.wgmma_ss %s, %sb : !warp.slot<128, 128, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %d : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
        warp.ring_release %sb : !warp.slot<128, 64, bf16>
        warp.store_global %w, %y[%p, %c0] sizes [128, 64] : tensor<64x64xf32, #warp.acc>, !tile.view<[M, 64], f32>
      }
      warp.ring_release %s : !warp.slot<128, 128, bf16>
    }
  }
  warp.return
}

// Of a product of more than eight steps each is a piece of its own, tied to the registers of the one before.
// CHECK-LABEL: llvm.func @deep_product
// CHECK: "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {$0,{{[^}]*}},$7}, $8, $9, 0, 1, 1, 0, 0;", "=&f,{{[=&f,]*}}=&f,l,l"
// CHECK-COUNT-8: "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {$0,{{[^}]*}},$7}, $16, $17, 1, 1, 1, 0, 0;", "=&f,{{[=&f,]*}}=&f,0,1,2,3,4,5,6,7,l,l"
// CHECK-NOT: "wgmma.mma_async
// CHECK: wgmma.commit_group
warp.func @deep_product(%a: !tile.view<[M, 144], bf16>, %b: !tile.view<[N, 144], bf16>, %y: !tile.view<[M, 16], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ra = warp.ring_create "a" : !warp.ring<1, 64, 144, bf16>
  %rb = warp.ring_create "b" : !warp.ring<1, 16, 144, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %ra[%c0] : !warp.ring<1, 64, 144, bf16> -> !warp.slot<64, 144, bf16>
      warp.ring_fill %s bytes 24576 : !warp.slot<64, 144, bf16> {
        warp.tma_load %a[%c0, %c0] axis 0 size 64 by 144 at 0, 0 : !tile.view<[M, 144], bf16>
      }
      %sb = warp.ring_acquire %rb[%c0] : !warp.ring<1, 16, 144, bf16> -> !warp.slot<16, 144, bf16>
      warp.ring_fill %sb bytes 6144 : !warp.slot<16, 144, bf16> {
        warp.tma_load %b[%c0, %c0] axis 0 size 16 by 144 at 0, 0 : !tile.view<[N, 144], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %ra[%c0] : !warp.ring<1, 64, 144, bf16> -> !warp.slot<64, 144, bf16>
      %sb = warp.ring_wait %rb[%c0] : !warp.ring<1, 16, 144, bf16> -> !warp.slot<16, 144, bf16>
      %d = warp.wgmma_ss %s, %sb trans_b : !warp.slot<64, 144, bf16>, !warp.slot<16, 144, bf16> -> !warp.inflight<tensor<64x16xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !warp.inflight<tensor<64x16xf32, #warp.acc>> -> tensor<64x16xf32, #warp.acc>
      warp.ring_release %sb : !warp.slot<16, 144, bf16>
      warp.ring_release %s : !warp.slot<64, 144, bf16>
      warp.store_global %w, %y[%c0, %c0] sizes [64, 16] : tensor<64x16xf32, #warp.acc>, !tile.view<[M, 16], f32>
    }
  }
  warp.return
}

// Two thread blocks of one consumer warpgroup fit a multiprocessor; each thread starts with its even share of registers.
// CHECK-LABEL: llvm.func @one_warpgroup
// CHECK-SAME: nvvm.maxnreg = 128 : i32, nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 256>
warp.func @one_warpgroup() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// CHECK-LABEL: llvm.func @three_warpgroups
// CHECK-SAME: nvvm.maxnreg = 128 : i32, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 512>
// CHECK: "setmaxnreg.dec.sync.aligned.u32 32;"
// CHECK: "setmaxnreg.inc.sync.aligned.u32 160;"
warp.func @three_warpgroups() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 32 {
    }
    warp.role consumer warpgroups 3 registers 160 {
    }
  }
  warp.return
}
