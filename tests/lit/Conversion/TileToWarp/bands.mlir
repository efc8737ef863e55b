// Bands in place of a list: one list value for both roles, whose bounds the preamble computes.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// CHECK-NOT: tile.func
// CHECK-NOT: tile.bands

// CHECK-LABEL: warp.func @rows
// CHECK: warp.for_tiles(%[[X:.*]], %{{.*}}, %{{.*}}) carry
// CHECK: %[[END:.*]] = arith.muli %[[X]], %{{.*}} : i32
// CHECK: %[[LIST:.*]] = warp.list_bands (%[[C0:.*]] to %[[END]] all %[[C0]] to %[[X]]) limit %[[N:.*]] : <64, 64>
// CHECK: warp.role producer
// CHECK: %[[COUNT:.*]] = warp.list_count %[[LIST]] : <64, 64>
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[COUNT]]
// CHECK: %{{.*}}, %{{.*}}, %[[S:.*]] = warp.list_step %[[LIST]][%{{.*}}] : <64, 64> -> i32
// CHECK: warp.tma_load %{{.*}}[%[[S]], %{{.*}}] axis 0 size 64 by 64 at 0, 0
// CHECK: warp.role consumer
// CHECK: warp.list_count %[[LIST]] : <64, 64>
// The step itself says whether it passes the list's limit.
// CHECK: %{{.*}}, %[[EXCEEDS:.*]], %{{.*}} = warp.list_step %[[LIST]]
// CHECK: scf.if %[[EXCEEDS]] -> (tensor<64x64xf32, #warp.acc>) {
// CHECK: warp.list_count %[[LIST]] : <64, 64>
// CHECK: warp.next_tile
tile.func @rows(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %y: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32>
  %masked = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %end = arith.muli %p, %c64 : i32
  %tq = tile.load %q[%end, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %row = tile.bands (%c0 to %end all %c0 to %p) : !tile.bands<64>
  %r = tile.for_blocks %t in %row step 64 limit %n init(%sum = %zero) : !tile.bands<64>, tensor<64x1xf32> {
    %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %kt = tile.transpose %tk : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %tq, %kt : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %e = tile.exceeds %t, %n : !tile.positions<64>
    %u = scf.if %e -> (tensor<64x64xf32>) {
      scf.yield %masked : tensor<64x64xf32>
    } else {
      scf.yield %s : tensor<64x64xf32>
    }
    %d = tile.reduce add %u axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %next = arith.addf %sum, %d : tensor<64x1xf32>
    tile.yield %next : tensor<64x1xf32>
  }
  tile.store %r, %y[%end] sizes [64] : tensor<64x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}

// A loop inside another: bands that follow from the launch are computed before all loops.
// CHECK-LABEL: warp.func @inner
// CHECK: %[[P:.*]] = tile.program_id 0
// CHECK: %[[TWICE:.*]] = arith.addi %[[P]], %[[P]] : i32
// CHECK: warp.list_bands (%{{.*}} to %[[TWICE]] all %{{.*}} to %{{.*}}) limit %{{.*}} : <64, 64>
// CHECK: warp.roles
tile.func @inner(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %y: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %start = arith.muli %p, %c64 : i32
  %tq = tile.load %q[%start, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r = scf.for %i = %c0 to %c64 step %c1 iter_args(%outer = %zero) -> (tensor<64x1xf32>) : i32 {
    %twice = arith.addi %p, %p : i32
    %row = tile.bands (%c0 to %twice all %c0 to %c0) : !tile.bands<64>
    %in = tile.for_blocks %t in %row step 64 limit %n init(%sum = %outer) : !tile.bands<64>, tensor<64x1xf32> {
      %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
      %kt = tile.transpose %tk : tensor<64x64xbf16> -> tensor<64x64xbf16>
      %s = tile.dot %tq, %kt : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
      %d = tile.reduce add %s axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
      %next = arith.addf %sum, %d : tensor<64x1xf32>
      tile.yield %next : tensor<64x1xf32>
    }
    scf.yield %in : tensor<64x1xf32>
  }
  tile.store %r, %y[%start] sizes [64] : tensor<64x1xf32>, (!tile.view<[M], f32>, i32)
  tile.return
}
