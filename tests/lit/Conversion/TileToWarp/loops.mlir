// Loops in loops: each loop that fills a ring counts its fills, and the loops around it carry the count on.
// RUN: lacuna-opt %s --tile-to-warp | FileCheck %s
// CHECK-NOT: tile.func

// CHECK-LABEL: warp.func @nested
// CHECK: %[[RA:.*]] = warp.ring_create "a"
// CHECK: %[[RB:.*]] = warp.ring_create "b"
// CHECK: warp.role producer
// CHECK: scf.for %[[I:.*]] = %{{.*}} iter_args(%[[OUTER:.*]] = %{{.*}}, %[[INNER:.*]] = %{{.*}}) -> (i32, i32) : i32 {
// CHECK:   warp.ring_acquire %[[RA]][%[[OUTER]]]
// CHECK:   %[[L:.*]] = scf.for %[[J:.*]] = %{{.*}} iter_args(%[[COUNT:.*]] = %[[INNER]]) -> (i32) : i32 {
// CHECK:     warp.ring_acquire %[[RB]][%[[COUNT]]]
// CHECK:     warp.tma_load %{{.*}}[%[[J]], %[[I]]] axis 0
// CHECK:     %[[NEXT:.*]] = arith.addi %[[COUNT]], %{{.*}}
// CHECK:     scf.yield %[[NEXT]]
// CHECK:   %[[NEXTO:.*]] = arith.addi %[[OUTER]], %{{.*}}
// CHECK:   scf.yield %[[NEXTO]], %[[L]] : i32, i32
// CHECK: warp.role consumer
// CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[OUTER:.*]] = %{{.*}}, %[[INNER:.*]] = %{{.*}}) -> (tensor<64x64xf32, #warp.acc>, i32, i32) : i32 {
// CHECK:   %[[SA:.*]] = warp.ring_wait %[[RA]][%[[OUTER]]]
// CHECK:   %[[L:.*]]:2 = scf.for {{.*}} iter_args(%[[ACC2:.*]] = %[[ACC]], %[[COUNT:.*]] = %[[INNER]]) -> (tensor<64x64xf32, #warp.acc>, i32) : i32 {
// CHECK:     %[[SB:.*]] = warp.ring_wait %[[RB]][%[[COUNT]]]
// CHECK:     warp.wgmma_ss %[[SA]], %[[SB]] acc %[[ACC2]]
// CHECK:     warp.ring_release %[[SB]]
// CHECK:     scf.yield
// CHECK:   }
// CHECK-NEXT: warp.ring_release %[[SA]]
// CHECK:   %[[NEXTO:.*]] = arith.addi %[[OUTER]], %{{.*}}
// CHECK:   scf.yield %[[L]]#0, %[[NEXTO]], %[[L]]#1 :
tile.func @nested(%a: !tile.view<[M, 64], bf16> {tile.name = "a"}, %b: !tile.view<[M, N], bf16> {tile.name = "b"},
                  %y: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %m = tile.dim "M"
  %n = tile.dim "N"
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %ta = tile.load %a[%i, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %r2 = scf.for %j = %c0 to %m step %c64 iter_args(%acc2 = %acc) -> (tensor<64x64xf32>) : i32 {
      %tb = tile.load %b[%j, %i] sizes [64, 64] : (!tile.view<[M, N], bf16>, i32, i32) -> tensor<64x64xbf16>
      %s = tile.dot %ta, %tb acc %acc2 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
      scf.yield %s : tensor<64x64xf32>
    }
    scf.yield %r2 : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// A scalar that a loop carries and a copy needs is carried by the producer, too; one that comes from a tile is not. A loop
// without copies is the consumers' alone.
// CHECK-LABEL: warp.func @carried_scalars
// CHECK: warp.role producer
// CHECK: scf.for %{{.*}} iter_args(%[[AT:.*]] = %{{.*}}, %[[COUNT:.*]] = %{{.*}}) -> (i32, i32) : i32 {
// CHECK:   warp.tma_load %{{.*}}[%[[AT]], %{{.*}}]
// CHECK:   %[[NEXT:.*]] = arith.addi %[[AT]], %{{.*}}
// CHECK:   scf.yield %[[NEXT]], %{{.*}} : i32, i32
// CHECK: }
// CHECK-NOT: scf.for
// CHECK: warp.role consumer
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (i32, f32, i32) : i32 {
// CHECK: warp.ring_release
// CHECK: scf.yield
// CHECK: scf.for
// CHECK: warp.store_global
tile.func @carried_scalars(%a: !tile.view<[M, 64], bf16>, %y: !tile.view<[M], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %f0 = arith.constant 0.0 : f32
  %p = tile.program_id 0
  %m = tile.dim "M"
  %r:2 = scf.for %i = %c0 to %m step %c64 iter_args(%at = %p, %total = %f0) -> (i32, f32) : i32 {
    %ta = tile.load %a[%at, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %sum = tile.reduce add %s axes [0, 1] : tensor<64x64xf32> -> f32
    %next = arith.addf %total, %sum : f32
    %at2 = arith.addi %at, %c64 : i32
    scf.yield %at2, %next : i32, f32
  }
  scf.for %i = %c0 to %m step %c64 : i32 {
    %at = arith.addi %i, %p : i32
    tile.store %r#1, %y[%at] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  }
  tile.return
}

// A product in a condition waits and releases outside it: the producer fills in any case.
// CHECK-LABEL: warp.func @under_a_condition
// CHECK: warp.role consumer
// CHECK: %[[S:.*]] = warp.ring_wait
// CHECK-NEXT: scf.if
// CHECK:   warp.wgmma_ss %[[S]], %[[S]]
// CHECK:   scf.yield
// CHECK: } else {
// CHECK:   scf.yield
// CHECK: }
// CHECK-NEXT: warp.ring_release %[[S]]
tile.func @under_a_condition(%a: !tile.view<[M, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %even = arith.cmpi eq, %p, %c0 : i32
  %ta = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r = scf.if %even -> (tensor<64x64xf32>) {
    %s = tile.dot %ta, %ta : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  } else {
    scf.yield %zero : tensor<64x64xf32>
  }
  tile.store %r, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// What a loop with copies leaves in a scalar, a copy after it and the loop around it may use: the producer runs that loop.
// CHECK-LABEL: warp.func @handed_on
// CHECK: warp.role producer
// CHECK: scf.for %{{.*}} iter_args(%[[AT:.*]] = %{{.*}}, %{{.*}}, %{{.*}}) -> (i32, i32, i32) : i32 {
// CHECK:   %[[INNER:.*]]:2 = scf.for %{{.*}} iter_args(%[[HERE:.*]] = %[[AT]], %{{.*}}) -> (i32, i32) : i32 {
// CHECK:     warp.tma_load %{{.*}}[%[[HERE]], %{{.*}}]
// CHECK:   }
// CHECK:   warp.tma_load %{{.*}}[%[[INNER]]#0, %{{.*}}]
// CHECK:   scf.yield %[[INNER]]#0, %{{.*}}, %[[INNER]]#1 : i32, i32, i32
tile.func @handed_on(%a: !tile.view<[M, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c16 = arith.constant 16 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.program_id 0
  %n = tile.dim "N"
  %q = tile.load %a[%p, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %at = %c16) -> (tensor<64x64xf32>, i32) : i32 {
    %inner:2 = scf.for %j = %c0 to %n step %c1 iter_args(%acc2 = %acc, %here = %at) -> (tensor<64x64xf32>, i32) : i32 {
      %tb = tile.load %a[%here, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
      %s = tile.dot %q, %tb acc %acc2 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
      %next = arith.addi %here, %c16 : i32
      scf.yield %s, %next : tensor<64x64xf32>, i32
    }
    %tb = tile.load %a[%inner#1, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %s = tile.dot %q, %tb acc %inner#0 : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %s, %inner#1 : tensor<64x64xf32>, i32
  }
  tile.store %r#0, %y[%p, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}
