// Every op, type and attribute of the dialect, in one kernel: printed as it is read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: warp.func @every_op(
// CHECK-SAME: %{{.*}}: !tile.view<[B, N, 128], bf16> {tile.name = "x"}
// CHECK-SAME: attributes {constraints = ["N > 0"], dims = ["B", "N"], grid = ["N", "B"]}
warp.func @every_op(%x: !tile.view<[B, N, 128], bf16> {tile.name = "x"}, %bias: !tile.view<[N], f32>,
                    %y: !tile.view<[B, N, 128], bf16> {tile.output}, %rows: !tile.blocks<128, 64, [B, 1]>, %s: f32)
    attributes {constraints = ["N > 0"], dims = ["B", "N"], grid = ["N", "B"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %n = tile.dim "N"
  // CHECK: %[[A:.*]] = warp.ring_create "a" : <1, 128, 128, bf16>
  %a = warp.ring_create "a" : !warp.ring<1, 128, 128, bf16>
  // CHECK: %[[B:.*]] = warp.ring_create "b" : <3, 128, 128, bf16>
  %b = warp.ring_create "b" : !warp.ring<3, 128, 128, bf16>
  // CHECK: %[[LIST:.*]] = warp.list_open %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] limit %{{.*}} : <128, 64, [B, 1]> -> <64, 128>
  %list = warp.list_open %rows[%c0, %c0, %c0] limit %n : !tile.blocks<128, 64, [B, 1]> -> !warp.list<64, 128>
  // CHECK: warp.list_bands (%{{.*}} to %[[N:.*]] all %{{.*}} to %{{.*}}), (%{{.*}} to %{{.*}} all %{{.*}} to %[[N]]) limit %[[N]] : <64, 128>
  %bands = warp.list_bands (%c0 to %n all %c0 to %c1), (%c1 to %c1 all %c0 to %n) limit %n : !warp.list<64, 128>
  // CHECK: warp.list_bands (%{{.*}} to %[[N]] all %{{.*}} to %{{.*}}) limit %[[N]] nonempty : <64, 128>
  %never_empty = warp.list_bands (%c0 to %n all %c0 to %c1) limit %n nonempty : !warp.list<64, 128>
  // CHECK: warp.roles {
  warp.roles {
    // CHECK: warp.role producer warpgroups 1 registers 24 {
    warp.role producer warpgroups 1 registers 24 {
      // CHECK: %[[EMPTY:.*]] = warp.ring_acquire %[[A]][%{{.*}}] : <1, 128, 128, bf16> -> <128, 128, bf16>
      %slot = warp.ring_acquire %a[%c0] : !warp.ring<1, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
      // CHECK: warp.ring_fill %[[EMPTY]] bytes 32768 : <128, 128, bf16> {
      warp.ring_fill %slot bytes 32768 : !warp.slot<128, 128, bf16> {
        // CHECK: warp.tma_load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] axis 1 size 128 by 128 at 0, 0 : <[B, N, 128], bf16>
        warp.tma_load %x[%c0, %c0, %c0] axis 1 size 128 by 128 at 0, 0 : !tile.view<[B, N, 128], bf16>
      }
      %count = warp.list_count %list : !warp.list<64, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        // CHECK: warp.named_barrier_arrive 15 threads 384
        warp.named_barrier_arrive 15 threads 384
        %partial, %exceeds, %starts:2 = warp.list_step %list[%i] : !warp.list<64, 128> -> i32, i32
        %next = warp.ring_acquire %b[%i] : !warp.ring<3, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
        warp.ring_fill %next bytes 32768 : !warp.slot<128, 128, bf16> {
          // CHECK: warp.tma_load %{{.*}} axis 1 size 16 by 128 outer 4 at 0, 0 :
          warp.tma_load %x[%c0, %starts#0, %c0] axis 1 size 16 by 128 outer 4 at 0, 0 : !tile.view<[B, N, 128], bf16>
          // CHECK: warp.tma_load %{{.*}} axis 1 size 64 by 128 at 64, 0 :
          warp.tma_load %x[%c0, %starts#1, %c0] axis 1 size 64 by 128 at 64, 0 : !tile.view<[B, N, 128], bf16>
        }
      }
    }
    // CHECK: warp.role consumer warpgroups 2 registers 240 {
    warp.role consumer warpgroups 2 registers 240 {
      // CHECK: %{{.*}} = warp.warpgroup
      %wg = warp.warpgroup
      // CHECK: %[[SLOTA:.*]] = warp.ring_wait %[[A]][%{{.*}}] : <1, 128, 128, bf16> -> <128, 128, bf16>
      %sa = warp.ring_wait %a[%c0] : !warp.ring<1, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
      // CHECK: warp.list_count %[[LIST]] : <64, 128>
      %count = warp.list_count %list : !warp.list<64, 128>
      // CHECK: warp.list_masked %[[LIST]] : <64, 128>
      %masked = warp.list_masked %list : !warp.list<64, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        // CHECK: %{{.*}}, %{{.*}}, %[[STARTS:.*]]:2 = warp.list_step %[[LIST]][%{{.*}}] : <64, 128> -> i32, i32
        %partial, %exceeds, %starts:2 = warp.list_step %list[%i] : !warp.list<64, 128> -> i32, i32
        %sb = warp.ring_wait %b[%i] : !warp.ring<3, 128, 128, bf16> -> !warp.slot<128, 128, bf16>
        // CHECK: %[[S:.*]] = warp.wgmma_ss %[[SLOTA]], %[[SLOTB:.*]] trans_b : !warp.slot<128, 128, bf16>, <128, 128, bf16> -> <tensor<64x128xf32, #warp.acc>>
        %s0 = warp.wgmma_ss %sa, %sb trans_b : !warp.slot<128, 128, bf16>, !warp.slot<128, 128, bf16> -> !warp.inflight<tensor<64x128xf32, #warp.acc>>
        // CHECK: %[[S1:.*]] = warp.wgmma_ss %[[SLOTA]] trans_a, %[[SLOTB]] acc %[[S]] : !warp.inflight<tensor<64x128xf32, #warp.acc>> :
        %s1 = warp.wgmma_ss %sa trans_a, %sb acc %s0 : !warp.inflight<tensor<64x128xf32, #warp.acc>> : !warp.slot<128, 128, bf16>, !warp.slot<128, 128, bf16> -> !warp.inflight<tensor<64x128xf32, #warp.acc>>
        // CHECK: %[[G:.*]] = warp.wgmma_commit
        %g = warp.wgmma_commit
        %one = arith.constant dense<1.0> : tensor<64x1xf32, #warp.row>
        // CHECK: %[[W:.*]]:2 = warp.wgmma_wait %[[G]], %[[S1]] carry %{{.*}} : tensor<64x1xf32, #warp.row> after %{{.*}} : tensor<64x1xf32, #warp.row> : !warp.inflight<tensor<64x128xf32, #warp.acc>> -> tensor<64x128xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
        %w:2 = warp.wgmma_wait %g, %s1 carry %one : tensor<64x1xf32, #warp.row> after %one : tensor<64x1xf32, #warp.row> : !warp.inflight<tensor<64x128xf32, #warp.acc>> -> tensor<64x128xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
        %t = arith.truncf %w#0 : tensor<64x128xf32, #warp.acc> to tensor<64x128xbf16, #warp.acc>
        // CHECK: %[[P:.*]] = warp.pack_afrag %{{.*}} : tensor<64x128xbf16, #warp.acc> -> tensor<64x128xbf16, #warp.afrag>
        %p = warp.pack_afrag %t : tensor<64x128xbf16, #warp.acc> -> tensor<64x128xbf16, #warp.afrag>
        // CHECK: %[[R:.*]] = warp.wgmma_rs %[[P]], %[[SLOTB]] acc %[[W]]#0 : tensor<64x128xf32, #warp.acc> : tensor<64x128xbf16, #warp.afrag>, <128, 128, bf16> -> <tensor<64x128xf32, #warp.acc>>
        %r = warp.wgmma_rs %p, %sb acc %w#0 : tensor<64x128xf32, #warp.acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 128, bf16> -> !warp.inflight<tensor<64x128xf32, #warp.acc>>
        %g2 = warp.wgmma_commit
        // CHECK: warp.wgmma_wait %{{.*}}, %[[R]] : !warp.inflight<tensor<64x128xf32, #warp.acc>> -> tensor<64x128xf32, #warp.acc>
        %u = warp.wgmma_wait %g2, %r : !warp.inflight<tensor<64x128xf32, #warp.acc>> -> tensor<64x128xf32, #warp.acc>
        // CHECK: warp.ring_release %[[SLOTB]] : <128, 128, bf16>
        warp.ring_release %sb : !warp.slot<128, 128, bf16>
        // CHECK: warp.row_reduce max %{{.*}} : tensor<64x128xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
        %m = warp.row_reduce max %u : tensor<64x128xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
        // CHECK: warp.quad_reduce min %{{.*}} : tensor<64x1xf32, #warp.row>
        %q = warp.quad_reduce min %m : tensor<64x1xf32, #warp.row>
        // CHECK: warp.block_reduce add %{{.*}} barrier 1 : tensor<64x1xf32, #warp.row>
        %all = warp.block_reduce add %q barrier 1 : tensor<64x1xf32, #warp.row>
        // CHECK: warp.broadcast %{{.*}} : f32 -> tensor<64x128xf32, #warp.acc>
        %bc = warp.broadcast %all : f32 -> tensor<64x128xf32, #warp.acc>
        // CHECK: warp.iota : tensor<64x1xi32, #warp.row>
        %iota = warp.iota : tensor<64x1xi32, #warp.row>
        // CHECK: warp.positions %[[STARTS]]#0, %[[STARTS]]#1 : tensor<1x128xi32, #warp.col>
        %pos = warp.positions %starts#0, %starts#1 : tensor<1x128xi32, #warp.col>
        // CHECK: warp.load_global %{{.*}}[%{{.*}}] sizes [128] : <[N], f32> -> tensor<1x128xf32, #warp.col>
        %bv = warp.load_global %bias[%c0] sizes [128] : !tile.view<[N], f32> -> tensor<1x128xf32, #warp.col>
        // CHECK: warp.store_global %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] sizes [0, 128, 128] : tensor<64x128xbf16, #warp.acc>, <[B, N, 128], bf16>
        warp.store_global %t, %y[%c0, %c0, %c0] sizes [0, 128, 128] : tensor<64x128xbf16, #warp.acc>, !tile.view<[B, N, 128], bf16>
        // CHECK: warp.named_barrier_sync 15 threads 384
        warp.named_barrier_sync 15 threads 384
        // CHECK: warp.turn_wait{{$}}
        warp.turn_wait
        // CHECK: warp.turn_pass{{$}}
        warp.turn_pass
        // CHECK: warp.fence_async
        warp.fence_async
      }
      // CHECK: warp.ring_release %[[SLOTA]] : <128, 128, bf16>
      warp.ring_release %sa : !warp.slot<128, 128, bf16>
    }
  }
  // CHECK: warp.return
  warp.return
}

// An op that nobody uses but that synchronises stays where it is; a pure one goes.
// RUN: lacuna-opt %s --canonicalize --cse | FileCheck %s --check-prefix=EFFECTS
// EFFECTS-NOT: RUN{{:}}
// EFFECTS-LABEL: warp.func @every_op
// EFFECTS: warp.named_barrier_arrive
// EFFECTS-NOT: warp.list_masked
// EFFECTS-NOT: warp.iota
// EFFECTS: warp.wgmma_commit
// EFFECTS: warp.wgmma_commit
// EFFECTS-NOT: warp.positions
// EFFECTS: warp.block_reduce
// EFFECTS: warp.store_global
// EFFECTS: warp.named_barrier_sync
// EFFECTS: warp.turn_wait
// EFFECTS: warp.turn_pass
// EFFECTS: warp.fence_async
