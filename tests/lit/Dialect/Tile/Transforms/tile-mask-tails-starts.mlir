// A contraction whose operands start at different places: each ends somewhere else, so each is masked past the end of the
// other, for this contraction alone. A second run finds nothing left to do.
// RUN: lacuna-opt %s --tile-mask-tails | FileCheck %s
// RUN: lacuna-opt %s --tile-mask-tails --tile-mask-tails | FileCheck %s

// CHECK-LABEL: tile.func @two_starts
// CHECK: %[[A:.*]] = tile.load %arg0
// CHECK: %[[B:.*]] = tile.load %arg1
// CHECK: %[[MB:.*]] = scf.if %{{.*}} -> (tensor<64x64xbf16>) {
// CHECK:   %[[ROWS:.*]] = tile.iota : tensor<64x1xi32>
// CHECK:   arith.select %{{.*}}, %[[B]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xbf16>
// CHECK: } else {
// CHECK:   scf.yield %[[B]]
// CHECK: %[[MA:.*]] = scf.if %{{.*}} -> (tensor<64x64xbf16>) {
// CHECK:   %[[COLUMNS:.*]] = tile.iota : tensor<1x64xi32>
// CHECK:   arith.select %{{.*}}, %[[A]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xbf16>
// CHECK: } else {
// CHECK:   scf.yield %[[A]]
// CHECK-NOT: scf.if
// CHECK: tile.dot %[[MA]], %[[MB]]
// What the operands hold there counts elsewhere: they end at another place.
// CHECK-NOT: scf.if
// CHECK: %[[WIDE:.*]] = arith.extf %[[B]]
// CHECK: tile.reduce add %[[WIDE]] axes [0]
tile.func @two_starts(%a: !tile.view<[M, K], bf16>, %b: !tile.view<[K, 64], bf16>, %z: i32, %y: !tile.view<[M, 64], f32> {tile.output},
                      %s: !tile.view<[64], f32> {tile.output}) attributes {dims = ["M", "K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %ta = tile.load %a[%c0, %c0] sizes [64, 64] : (!tile.view<[M, K], bf16>, i32, i32) -> tensor<64x64xbf16>
  %tb = tile.load %b[%z, %c0] sizes [64, 64] : (!tile.view<[K, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %dot = tile.dot %ta, %tb : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %dot, %y[%c0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
  %wide = arith.extf %tb : tensor<64x64xbf16> to tensor<64x64xf32>
  %sum = tile.reduce add %wide axes [0] : tensor<64x64xf32> -> tensor<1x64xf32>
  %turned = tile.transpose %sum : tensor<1x64xf32> -> tensor<64x1xf32>
  tile.store %turned, %s[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// A mask that the author made past another tile's end is no end: a maximum still sees the zeros that it put there.
// CHECK-LABEL: tile.func @own_mask
// CHECK: arith.select
// CHECK-NOT: scf.if
// CHECK: tile.reduce max
tile.func @own_mask(%x: !tile.view<[64, 64], f32>, %k: !tile.view<[64, K], f32>, %y: !tile.view<[64], f32> {tile.output},
                    %w: !tile.view<[64, K], f32> {tile.output}) attributes {dims = ["K"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %other = tile.load %k[%c0, %c0] sizes [64, 64] : (!tile.view<[64, K], f32>, i32, i32) -> tensor<64x64xf32>
  tile.store %other, %w[%c0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[64, K], f32>, i32, i32)
  %t = tile.load %x[%c0, %c0] sizes [64, 64] : (!tile.view<[64, 64], f32>, i32, i32) -> tensor<64x64xf32>
  %end = tile.dim "K"
  %j = tile.iota : tensor<1x64xi32>
  %ends = tile.broadcast %end : i32 -> tensor<1x64xi32>
  %in = arith.cmpi slt, %j, %ends : tensor<1x64xi32>
  %wide = tile.broadcast %in : tensor<1x64xi1> -> tensor<64x64xi1>
  %m = arith.select %wide, %t, %zero : tensor<64x64xi1>, tensor<64x64xf32>
  %r = tile.reduce max %m axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  tile.store %r, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
