// Rows along two axes of a view: one copy for both, and stores that keep their sizes.
// RUN: lacuna-opt %s --tile-to-warp --split-input-file | FileCheck %s

// CHECK-LABEL: warp.func @joined(
// CHECK-SAME: %[[Q:.*]]: !tile.view<[H, M, 64], bf16>, %[[K:.*]]: !tile.view<[N, 64], bf16>
// CHECK: warp.ring_create {{.*}} : <2, 64, 64, bf16>
// CHECK: warp.role producer
// CHECK: warp.ring_fill %{{.*}} bytes 8192
// CHECK-NEXT: warp.tma_load %[[Q]][%{{.*}}, %{{.*}}, %{{.*}}] axis 1 size 16 by 64 outer 4 at 0, 0
// CHECK-NEXT: }
// CHECK: warp.tma_load %[[K]][%{{.*}}, %{{.*}}] axis 0 size 64 by 64 at 0, 0
// CHECK: warp.role consumer warpgroups 1
// CHECK: warp.load_global %[[Q]][%{{.*}}, %{{.*}}, %{{.*}}] sizes [4, 16, 64] : {{.*}} -> tensor<64x64xbf16, #warp.acc>
// CHECK: warp.store_global %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] sizes [4, 16, 64] : tensor<64x64xf32, #warp.acc>
// CHECK: warp.store_global %{{.*}}[%{{.*}}, %{{.*}}] sizes [4, 16] : tensor<64x1xf32, #warp.row>
tile.func @joined(%q: !tile.view<[H, M, 64], bf16>, %k: !tile.view<[N, 64], bf16>,
                  %y: !tile.view<[H, M, 64], f32> {tile.output}, %z: !tile.view<[H, M], f32> {tile.output})
    attributes {dims = ["H", "M", "N"], grid = ["ceildiv(M, 16)", "ceildiv(H, 4)"]} {
  %c0 = arith.constant 0 : i32
  %c4 = arith.constant 4 : i32
  %c16 = arith.constant 16 : i32
  %p = tile.program_id 0
  %g = tile.program_id 1
  %query = arith.muli %p, %c16 : i32
  %head = arith.muli %g, %c4 : i32
  %a = tile.load %q[%head, %query, %c0] sizes [4, 16, 64] : (!tile.view<[H, M, 64], bf16>, i32, i32, i32) -> tensor<64x64xbf16>
  %b = tile.load %k[%c0, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %bt = tile.transpose %b : tensor<64x64xbf16> -> tensor<64x64xbf16>
  %s = tile.dot %a, %bt : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  %w = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
  %t = arith.addf %s, %w : tensor<64x64xf32>
  %r = tile.reduce add %t axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  tile.store %t, %y[%head, %query, %c0] sizes [4, 16, 64] : tensor<64x64xf32>, (!tile.view<[H, M, 64], f32>, i32, i32, i32)
  tile.store %r, %z[%head, %query] sizes [4, 16] : tensor<64x1xf32>, (!tile.view<[H, M], f32>, i32, i32)
  tile.return
}
