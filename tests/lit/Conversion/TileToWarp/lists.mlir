// Blocks and steps of different sizes, and lists along the columns of an operand.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// CHECK-NOT: tile.func

// Blocks of 32 in steps of 128: four runs a step, each copied to its own rows of one slot.
// CHECK-LABEL: warp.func @runs
// CHECK: %[[LIST:.*]] = warp.list_open {{.*}} -> <32, 128>
// CHECK: warp.role producer
// CHECK: %{{.*}}, %{{.*}}, %[[S:.*]]:4 = warp.list_step %[[LIST]][%{{.*}}] : <32, 128> -> i32, i32, i32, i32
// CHECK: warp.ring_fill %{{.*}} bytes 16384
// CHECK-NEXT: warp.tma_load %{{.*}}[%[[S]]#0, %{{.*}}] axis 0 size 32 by 64 at 0, 0
// CHECK-NEXT: warp.tma_load %{{.*}}[%[[S]]#1, %{{.*}}] axis 0 size 32 by 64 at 32, 0
// CHECK-NEXT: warp.tma_load %{{.*}}[%[[S]]#2, %{{.*}}] axis 0 size 32 by 64 at 64, 0
// CHECK-NEXT: warp.tma_load %{{.*}}[%[[S]]#3, %{{.*}}] axis 0 size 32 by 64 at 96, 0
// CHECK-NEXT: }
// The consumers' positions look at each run. Whether a run passes the list's own limit the step itself says; of another
// bound each run is asked.
// CHECK: warp.role consumer
// CHECK: %[[PARTIAL:.*]], %[[EXCEEDS:.*]], %[[C:.*]]:4 = warp.list_step %[[LIST]]
// CHECK: %[[END0:.*]] = arith.addi %[[C]]#0, %[[LEN:.*]] : i32
// CHECK: %[[PAST0:.*]] = arith.cmpi sgt, %[[END0]], %[[M:.*]] : i32
// CHECK: %[[END1:.*]] = arith.addi %[[C]]#1, %{{.*}} : i32
// CHECK: %[[PAST1:.*]] = arith.cmpi sgt, %[[END1]], %[[M]] : i32
// CHECK: %[[ANY1:.*]] = arith.ori %[[PAST0]], %[[PAST1]]
// CHECK: arith.addi %[[C]]#2
// CHECK: arith.ori %[[ANY1]]
// CHECK: arith.addi %[[C]]#3
// CHECK: %[[ANY:.*]] = arith.ori
// CHECK: arith.andi %[[EXCEEDS]], %[[ANY]] : i1
// CHECK: scf.if %[[EXCEEDS]] -> (tensor<64x128xf32, #warp.acc>) {
// CHECK:   warp.positions %[[C]]#0, %[[C]]#1, %[[C]]#2, %[[C]]#3 : tensor<1x128xi32, #warp.col>
// CHECK:   scf.yield
// CHECK: } else {
// CHECK:   scf.yield
// CHECK: scf.if %[[PARTIAL]] -> (tensor<64x128xf32, #warp.acc>) {
tile.func @runs(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<64, 32, [1, 1]>,
                %y: !tile.view<[M], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32>
  %masked = arith.constant dense<0.0> : tensor<64x128xf32>
  %p = tile.program_id 0
  %m = tile.dim "M"
  %n = tile.dim "N"
  %tq = tile.load %q[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %p] step 128 limit %n init(%acc = %zero) : !tile.blocks<64, 32, [1, 1]>, tensor<64x1xf32> {
    %tk = tile.load %k[%t, %c0] sizes [128, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<128>, i32) -> tensor<128x64xbf16>
    %kt = tile.transpose %tk : tensor<128x64xbf16> -> tensor<64x128xbf16>
    %s = tile.dot %tq, %kt : tensor<64x64xbf16>, tensor<64x128xbf16> -> tensor<64x128xf32>
    %past = tile.exceeds %t, %n : !tile.positions<128>
    %past_rows = tile.exceeds %t, %m : !tile.positions<128>
    %past_both = arith.andi %past, %past_rows : i1
    %u = scf.if %past -> (tensor<64x128xf32>) {
      %keys = tile.key_positions %t : !tile.positions<128> -> tensor<1x128xi32>
      %nn = tile.broadcast %n : i32 -> tensor<1x128xi32>
      %in = arith.cmpi slt, %keys, %nn : tensor<1x128xi32>
      %all = tile.broadcast %in : tensor<1x128xi1> -> tensor<64x128xi1>
      %v = arith.select %all, %s, %masked : tensor<64x128xi1>, tensor<64x128xf32>
      scf.yield %v : tensor<64x128xf32>
    } else {
      scf.yield %s : tensor<64x128xf32>
    }
    %partial = tile.is_partial %t : !tile.positions<128>
    %w = scf.if %partial -> (tensor<64x128xf32>) {
      scf.yield %masked : tensor<64x128xf32>
    } else {
      scf.yield %u : tensor<64x128xf32>
    }
    %sum = tile.reduce add %w axes [1] : tensor<64x128xf32> -> tensor<64x1xf32>
    %next = arith.addf %acc, %sum : tensor<64x1xf32>
    tile.yield %next : tensor<64x1xf32>
  }
  tile.store %r, %y[%p] sizes [64] : tensor<64x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}

// Blocks of 256 in steps of 64: one run a step, the list knows that a block is four steps.
// CHECK-LABEL: warp.func @steps
// CHECK: warp.list_open {{.*}} : <64, 256, [1, 1]> -> <256, 64>
// CHECK: %{{.*}}, %{{.*}}, %[[S:.*]] = warp.list_step {{.*}} : <256, 64> -> i32
// CHECK: warp.tma_load %{{.*}}[%[[S]], %{{.*}}] axis 0 size 64 by 64 at 0, 0
// CHECK-NEXT: }
tile.func @steps(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<64, 256, [1, 1]>,
                 %y: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %tq = tile.load %q[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %p] step 64 limit %n init(%acc = %zero) : !tile.blocks<64, 256, [1, 1]>, tensor<64x64xf32> {
    %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %s = tile.dot %tq, %tk acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.yield %s : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// The list names columns of A and rows of B: two blocks of 64 a step, side by side in A's slot, one above the other in B's.
// CHECK-LABEL: warp.func @listed_columns
// CHECK: %{{.*}}, %{{.*}}, %[[S:.*]]:2 = warp.list_step
// CHECK: warp.ring_fill %{{.*}} bytes 16384 : <64, 128, bf16>
// CHECK-NEXT: warp.tma_load %[[A:.*]][%[[P:.*]], %[[S]]#0] axis 0 size 64 by 64 at 0, 0
// CHECK-NEXT: warp.tma_load %[[A]][%[[P]], %[[S]]#1] axis 0 size 64 by 64 at 0, 64
// CHECK: warp.ring_fill %{{.*}} bytes 16384 : <128, 64, bf16>
// CHECK-NEXT: warp.tma_load %[[B:.*]][%[[S]]#0, %{{.*}}] axis 0 size 64 by 64 at 0, 0
// CHECK-NEXT: warp.tma_load %[[B]][%[[S]]#1, %{{.*}}] axis 0 size 64 by 64 at 64, 0
// CHECK: warp.wgmma_ss %{{.*}}, %{{.*}} acc %{{.*}} : tensor<64x64xf32, #warp.acc>{{.*}} : !warp.slot<64, 128, bf16>, <128, 64, bf16>
tile.func @listed_columns(%a: !tile.view<[M, K], bf16>, %b: !tile.view<[K, 64], bf16>, %rows: !tile.blocks<64, 64, [1, 1]>,
                          %y: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "K"
  %r = tile.for_blocks %t in %rows[%c0, %c0, %p] step 128 limit %n init(%acc = %zero) : !tile.blocks<64, 64, [1, 1]>, tensor<64x64xf32> {
    %ta = tile.load %a[%p, %t] sizes [64, 128] : (!tile.view<[M, K], bf16>, i32, !tile.positions<128>) -> tensor<64x128xbf16>
    %tb = tile.load %b[%t, %c0] sizes [128, 64] : (!tile.view<[K, 64], bf16>, !tile.positions<128>, i32) -> tensor<128x64xbf16>
    %s = tile.dot %ta, %tb acc %acc : tensor<64x64xf32> : tensor<64x128xbf16>, tensor<128x64xbf16> -> tensor<64x64xf32>
    tile.yield %s : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}
