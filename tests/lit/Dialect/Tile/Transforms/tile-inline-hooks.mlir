// Calls become the hook's body, hooks that hooks call first, and no hook is left.
// RUN: lacuna-opt %s --tile-inline-hooks | FileCheck %s

// CHECK-NOT: tile.hook
// CHECK-NOT: tile.call_hook

tile.hook @double(%x: f32) -> f32 {
  %y = arith.addf %x, %x : f32
  tile.return %y : f32
}

tile.hook @bias(%x: f32, %j: i32) -> f32 {
  %n = tile.dim "N"
  %last = arith.cmpi eq, %j, %n : i32
  %d = tile.call_hook @double(%x) : (f32) -> f32
  %y = arith.select %last, %d, %x : f32
  tile.return %y : f32
}

tile.hook @never_called(%x: f32) -> f32 {
  tile.return %x : f32
}

// CHECK-LABEL: tile.func @nested
tile.func @nested(%x: !tile.view<[M, 64], f32>, %y: !tile.view<[M, 64], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["ceildiv(M, 64)"]} {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %r = arith.muli %p, %c64 : i32
  %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
  // CHECK: tile.map
  // CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %{{.*}}: i32, %[[J:.*]]: i32):
  // CHECK-NEXT: %[[N:.*]] = tile.dim "N"
  // CHECK-NEXT: %[[LAST:.*]] = arith.cmpi eq, %[[J]], %[[N]]
  // CHECK-NEXT: %[[D:.*]] = arith.addf %[[X]], %[[X]]
  // CHECK-NEXT: %[[Y:.*]] = arith.select %[[LAST]], %[[D]], %[[X]]
  // Called a second time: a second copy of the hook that it calls.
  // CHECK-NEXT: tile.dim "N"
  // CHECK-NEXT: arith.cmpi
  // CHECK-NEXT: %[[D2:.*]] = arith.addf %[[Y]], %[[Y]]
  // CHECK-NEXT: %[[Z:.*]] = arith.select %{{.*}}, %[[D2]], %[[Y]]
  // CHECK-NEXT: tile.yield %[[Z]]
  %u = tile.map %t : tensor<64x64xf32> -> tensor<64x64xf32> {
  ^bb0(%e: f32, %i: i32, %j: i32):
    %once = tile.call_hook @bias(%e, %j) : (f32, i32) -> f32
    %twice = tile.call_hook @bias(%once, %j) : (f32, i32) -> f32
    tile.yield %twice : f32
  }
  tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  tile.return
}

// A hook that returns its argument leaves nothing behind.
tile.hook @identity(%x: f32, %j: i32) -> f32 {
  tile.return %x : f32
}

// CHECK-LABEL: tile.func @identity_hook
// CHECK: ^bb0(%[[E:.*]]: f32, %{{.*}}: i32, %{{.*}}: i32):
// CHECK-NEXT: tile.yield %[[E]] : f32
tile.func @identity_hook(%x: !tile.view<[64, 64], f32>, %y: !tile.view<[64, 64], f32> {tile.output})
    attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [64, 64] : (!tile.view<[64, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %u = tile.map %t : tensor<64x64xf32> -> tensor<64x64xf32> {
  ^bb0(%e: f32, %i: i32, %j: i32):
    %same = tile.call_hook @identity(%e, %j) : (f32, i32) -> f32
    tile.yield %same : f32
  }
  tile.store %u, %y[%c0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[64, 64], f32>, i32, i32)
  tile.return
}
