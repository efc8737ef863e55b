// Tiles in registers: each register becomes a scalar, in the order of its layout.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// A row vector: two rows a thread, 8 apart; one lane of the quad stores each, where the row lies inside.
// CHECK-LABEL: llvm.func @rows(
// CHECK-SAME: %[[X:arg0]]: !llvm.ptr<1>, %[[Y:arg1]]: !llvm.ptr<1>, %[[M:arg2]]: i32)
// CHECK: %[[QUAD:[0-9]+]] = arith.shrui %{{.*}}, %c2_i32 : i32
// CHECK: arith.muli %{{.*}}, %c16_i32
// CHECK: arith.muli %{{.*}}, %c64_i32
// CHECK: %[[ROW:[0-9]+]] = arith.addi
// CHECK: %[[IN:[0-9]+]] = arith.cmpi ult, %{{.*}}, %[[M]] : i32
// What is past the end is read from the view's first element, and dropped.
// CHECK: %[[P:[0-9]+]] = llvm.select %[[IN]], %{{.*}}, %[[X]] : i1, !llvm.ptr<1>
// CHECK: %[[V:[0-9]+]] = llvm.load %[[P]] : !llvm.ptr<1> -> f32
// CHECK: arith.select %[[IN]], %[[V]], %{{.*}} : f32
// CHECK: arith.addi %{{.*}}, %c8_i32
// CHECK: arith.cmpi ult, %{{.*}}, %[[M]] : i32
// CHECK: llvm.load
// CHECK-NOT: llvm.load
// CHECK: math.exp2 %{{.*}} : f32
// CHECK: math.exp2 %{{.*}} : f32
// CHECK-NOT: math.exp2
// CHECK: %[[FIRST:[0-9]+]] = arith.cmpi eq, %{{.*}}, %c0_i32 : i32
// CHECK: %[[BOTH:[0-9]+]] = arith.andi %{{.*}}, %[[FIRST]] : i1
// CHECK: scf.if %[[BOTH]] {
// CHECK-NEXT: llvm.store
// CHECK: scf.if
// CHECK-NEXT: llvm.store
// CHECK-NOT: llvm.store
// CHECK: llvm.return
warp.func @rows(%x: !tile.view<[M], f32>, %y: !tile.view<[M], f32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %p = tile.program_id 0
      %t = warp.load_global %x[%p] sizes [64] : !tile.view<[M], f32> -> tensor<64x1xf32, #warp.row>
      %e = math.exp2 %t : tensor<64x1xf32, #warp.row>
      warp.store_global %e, %y[%p] sizes [64] : tensor<64x1xf32, #warp.row>, !tile.view<[M], f32>
    }
  }
  warp.return
}

// A column of a matrix lies at one column: that, too, must lie inside, when it is read and when it is written.
// CHECK-LABEL: llvm.func @one_column(
// CHECK-SAME: %[[M:arg4]]: i32, %[[N:arg5]]: i32)
// CHECK: %[[COL:[0-9]+]] = nvvm.read.ptx.sreg.ctaid.y
// CHECK: %[[ROWIN:[0-9]+]] = arith.cmpi ult, %{{.*}}, %[[M]] : i32
// CHECK: %[[COLIN:[0-9]+]] = arith.cmpi ult, %[[COL]], %[[N]] : i32
// CHECK: %[[IN:[0-9]+]] = arith.andi %[[ROWIN]], %[[COLIN]] : i1
// CHECK: llvm.select %[[IN]]
// CHECK: %[[STORE:[0-9]+]] = arith.andi %[[IN]], %{{.*}} : i1
// CHECK: scf.if %[[STORE]] {
// CHECK-NEXT: llvm.store
warp.func @one_column(%x: !tile.view<[M, N], f32>, %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1", "N"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %p = tile.program_id 0
      %c = tile.program_id 1
      %t = warp.load_global %x[%p, %c] sizes [64, 1] : !tile.view<[M, N], f32> -> tensor<64x1xf32, #warp.row>
      warp.store_global %t, %y[%p, %c] sizes [64, 1] : tensor<64x1xf32, #warp.row>, !tile.view<[M, N], f32>
    }
  }
  warp.return
}

// One row of a matrix: four columns a thread of 16, one warp of the first warpgroup and one quad of it store.
// CHECK-LABEL: llvm.func @one_row(
// CHECK-SAME: %[[M:arg4]]: i32, %[[N:arg5]]: i32)
// CHECK: %[[ROW:[0-9]+]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK: %[[ROWIN:[0-9]+]] = arith.cmpi ult, %[[ROW]], %[[M]] : i32
// CHECK: %[[COLIN:[0-9]+]] = arith.cmpi ult, %{{.*}}, %[[N]] : i32
// CHECK: arith.andi %[[ROWIN]], %[[COLIN]] : i1
// CHECK-COUNT-4: llvm.load
// CHECK-NOT: llvm.load
// CHECK: %[[QUAD0:[0-9]+]] = arith.cmpi eq
// CHECK: %[[MINE:[0-9]+]] = arith.andi %{{.*}}, %{{.*}} : i1
// CHECK: %[[A:[0-9]+]] = arith.andi %[[MINE]], %{{.*}} : i1
// CHECK: %[[B:[0-9]+]] = arith.andi %[[A]], %[[ROWIN]] : i1
// CHECK: scf.if %[[B]] {
// CHECK-COUNT-4: llvm.store
// CHECK-NOT: llvm.store
// CHECK: llvm.return
warp.func @one_row(%x: !tile.view<[M, N], f32>, %y: !tile.view<[M, N], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["M", "1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %p = tile.program_id 0
      %c = tile.program_id 1
      %t = warp.load_global %x[%p, %c] sizes [1, 16] : !tile.view<[M, N], f32> -> tensor<1x16xf32, #warp.col>
      warp.store_global %t, %y[%p, %c] sizes [1, 16] : tensor<1x16xf32, #warp.col>, !tile.view<[M, N], f32>
    }
  }
  warp.return
}

// Reductions: four columns of each of two rows, then the lanes of a quad by xor 1 and 2; a whole tile over all lanes, and
// then over the eight warps through shared memory, between two barriers.
// CHECK-LABEL: llvm.func @reductions(
// 32 bytes of scratch for eight warps.
// CHECK-SAME: shared_bytes = 32 : i64
// CHECK: %[[M1:[0-9]+]] = arith.maxnumf
// CHECK: "shfl.sync.bfly.b32 $0, $1, 1, 31, 0xffffffff;", "=f,f"
// CHECK: arith.maxnumf
// CHECK: "shfl.sync.bfly.b32 $0, $1, 2, 31, 0xffffffff;", "=f,f"
// CHECK: arith.maxnumf
// CHECK: shfl.sync.bfly.b32 $0, $1, 1,
// CHECK: shfl.sync.bfly.b32 $0, $1, 2,
// CHECK: arith.addf
// CHECK: shfl.sync.bfly.b32 $0, $1, 1,
// CHECK: shfl.sync.bfly.b32 $0, $1, 2,
// CHECK: shfl.sync.bfly.b32 $0, $1, 4,
// CHECK: shfl.sync.bfly.b32 $0, $1, 8,
// CHECK: shfl.sync.bfly.b32 $0, $1, 16,
// CHECK: "@$2 st.shared.f32 [$0], $1;", "r,f,b,~{memory}"
// CHECK-NEXT: "bar.sync 1, 256;", "~{memory}"
// CHECK-COUNT-8: "ld.shared.f32 $0, [$1];"
// CHECK-NOT: ld.shared
// CHECK: "bar.sync 1, 256;", "~{memory}"
// A row's lanes hold the same: only quads are combined.
// CHECK-NOT: $1, 1, 31
// CHECK-NOT: $1, 2, 31
// CHECK: shfl.sync.bfly.b32 $0, $1, 4,
// CHECK: shfl.sync.bfly.b32 $0, $1, 8,
// CHECK: shfl.sync.bfly.b32 $0, $1, 16,
// CHECK: st.shared
// CHECK: "bar.sync 1, 256;"
// CHECK: "bar.sync 1, 256;"
// All quads hold the same columns: no other warp is asked.
// CHECK: shfl.sync.bfly.b32 $0, $1, 1,
// CHECK: shfl.sync.bfly.b32 $0, $1, 2,
// CHECK-NOT: shfl
// CHECK-NOT: st.shared
// One thread of the block stores a scalar.
// CHECK: scf.if
// CHECK-NEXT: llvm.store
// CHECK: llvm.return
warp.func @reductions(%x: !tile.view<[M, 8], f32>, %c: !tile.view<[M], f32>, %y: !tile.view<[M], f32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %t = warp.load_global %x[%c0, %c0] sizes [128, 8] : !tile.view<[M, 8], f32> -> tensor<64x8xf32, #warp.acc>
      %col = warp.load_global %c[%c0] sizes [16] : !tile.view<[M], f32> -> tensor<1x16xf32, #warp.col>
      %m = warp.row_reduce max %t : tensor<64x8xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
      %q = warp.quad_reduce max %m : tensor<64x1xf32, #warp.row>
      %all = warp.block_reduce add %t barrier 1 : tensor<64x8xf32, #warp.acc>
      %rows = warp.block_reduce add %q barrier 1 : tensor<64x1xf32, #warp.row>
      %cols = warp.block_reduce add %col barrier 1 : tensor<1x16xf32, #warp.col>
      %s0 = arith.addf %all, %rows : f32
      %s = arith.addf %s0, %cols : f32
      warp.store_global %s, %y[%c0] sizes [0] : f32, !tile.view<[M], f32>
    }
  }
  warp.return
}

// As many groups may stay in flight as were committed after the one waited for; what is carried is tied to the wait. Values
// of an operand in registers are packed in pairs, two conversions at once.
// CHECK-LABEL: llvm.func @in_flight(
// CHECK: "llvm.nvvm.ff2bf16x2.rn"(%[[HIGH:[a-z0-9_]+]], %[[LOW:[a-z0-9_]+]]) : (f32, f32) -> vector<2xbf16>
// CHECK: llvm.bitcast %{{.*}} : vector<2xbf16> to i32
// CHECK: wgmma.fence
// CHECK: "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7}, {$8,$9,$10,$11}, $12, 0, 1, 1, 1;", "=&f,=&f,=&f,=&f,=&f,=&f,=&f,=&f,r,r,r,r,l"
// CHECK: wgmma.commit_group
// CHECK: wgmma.fence
// CHECK: "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7}, {$16,$17,$18,$19}, $20, 1, 1, 1, 1;", "=&f,=&f,=&f,=&f,=&f,=&f,=&f,=&f,0,1,2,3,4,5,6,7,r,r,r,r,l"
// CHECK: wgmma.commit_group
// CHECK: "wgmma.wait_group.sync.aligned 1;", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,8,9"
// CHECK: "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7"
warp.func @in_flight(%b: !tile.view<[N, 16], bf16>, %x: !tile.view<[M, 16], f32>, %v: !tile.view<[M], f32>, %y: !tile.view<[M, 16], f32> {tile.output},
                     %z: !tile.view<[M], f32> {tile.output}) attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "b" : !warp.ring<1, 16, 16, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !warp.ring<1, 16, 16, bf16> -> !warp.slot<16, 16, bf16>
      warp.ring_fill %e bytes 2048 : !warp.slot<16, 16, bf16> {
        warp.tma_load %b[%c0, %c0] axis 0 size 16 by 16 at 0, 0 : !tile.view<[N, 16], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %t = warp.load_global %x[%c0, %c0] sizes [64, 16] : !tile.view<[M, 16], f32> -> tensor<64x16xf32, #warp.acc>
      %row = warp.load_global %v[%c0] sizes [64] : !tile.view<[M], f32> -> tensor<64x1xf32, #warp.row>
      %h = arith.truncf %t : tensor<64x16xf32, #warp.acc> to tensor<64x16xbf16, #warp.acc>
      %a = warp.pack_afrag %h : tensor<64x16xbf16, #warp.acc> -> tensor<64x16xbf16, #warp.afrag>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 16, 16, bf16> -> !warp.slot<16, 16, bf16>
      %d = warp.wgmma_rs %a, %s : tensor<64x16xbf16, #warp.afrag>, !warp.slot<16, 16, bf16> -> !warp.inflight<tensor<64x16xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d2 = warp.wgmma_rs %a, %s acc %t : tensor<64x16xf32, #warp.acc> : tensor<64x16xbf16, #warp.afrag>, !warp.slot<16, 16, bf16> -> !warp.inflight<tensor<64x16xf32, #warp.acc>>
      %g2 = warp.wgmma_commit
      %w:2 = warp.wgmma_wait %g, %d carry %row : tensor<64x1xf32, #warp.row> : !warp.inflight<tensor<64x16xf32, #warp.acc>> -> tensor<64x16xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
      %w2 = warp.wgmma_wait %g2, %d2 : !warp.inflight<tensor<64x16xf32, #warp.acc>> -> tensor<64x16xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<16, 16, bf16>
      warp.store_global %w#0, %y[%c0, %c0] sizes [64, 16] : tensor<64x16xf32, #warp.acc>, !tile.view<[M, 16], f32>
      warp.store_global %w#1, %z[%c0] sizes [64] : tensor<64x1xf32, #warp.row>, !tile.view<[M], f32>
      warp.store_global %w2, %y[%c0, %c0] sizes [64, 16] : tensor<64x16xf32, #warp.acc>, !tile.view<[M, 16], f32>
    }
  }
  warp.return
}

// A warp votes whether any of its rows changes, and multiplies only then; else the registers go on as they are.
// CHECK-LABEL: llvm.func @scaled(
// CHECK: %[[D0:.*]] = arith.cmpf une, %[[F0:.*]], %{{.*}} : f32
// CHECK: %[[D1:.*]] = arith.cmpf une, %[[F1:.*]], %{{.*}} : f32
// CHECK: %[[ANY:.*]] = arith.ori %[[D0]], %[[D1]] : i1
// CHECK: %[[VOTE:.*]] = llvm.call_intrinsic "llvm.nvvm.vote.any.sync"(%c-1_i32, %[[ANY]]) : (i32, i1) -> i1
// CHECK: scf.if %[[VOTE]] -> (f32, f32, f32, f32) {
// CHECK-NEXT: %[[A:.*]] = arith.mulf %[[X0:.*]], %[[F0]] : f32
// CHECK-NEXT: %[[B:.*]] = arith.mulf %[[X1:.*]], %[[F0]] : f32
// CHECK-NEXT: %[[C:.*]] = arith.mulf %[[X2:.*]], %[[F1]] : f32
// CHECK-NEXT: %[[D:.*]] = arith.mulf %[[X3:.*]], %[[F1]] : f32
// CHECK-NEXT: scf.yield %[[A]], %[[B]], %[[C]], %[[D]]
// CHECK-NEXT: } else {
// CHECK-NEXT: scf.yield %[[X0]], %[[X1]], %[[X2]], %[[X3]]
warp.func @scaled(%x: !tile.view<[M, 8], f32>, %v: !tile.view<[M], f32>, %y: !tile.view<[M, 8], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %t = warp.load_global %x[%c0, %c0] sizes [64, 8] : !tile.view<[M, 8], f32> -> tensor<64x8xf32, #warp.acc>
      %factors = warp.load_global %v[%c0] sizes [64] : !tile.view<[M], f32> -> tensor<64x1xf32, #warp.row>
      %scaled = warp.scale_rows %t by %factors : tensor<64x8xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
      warp.store_global %scaled, %y[%c0, %c0] sizes [64, 8] : tensor<64x8xf32, #warp.acc>, !tile.view<[M, 8], f32>
    }
  }
  warp.return
}
