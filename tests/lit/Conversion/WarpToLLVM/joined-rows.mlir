// Rows along two axes: row r of the tile is r / 16 of the outer and r % 16 of the inner one, each with its own end.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// One tensor map with a box on both axes, of 16 x 4 rows.
// CHECK-LABEL: llvm.func @joined(
// CHECK-SAME: tensor_maps = {{\[}}[0, 1, 16, 4]]
// The map's coordinates, innermost first: both axes from their starts.
// CHECK: "cp.async.bulk.tensor.3d{{.*}} %{{.*}}, %arg0, %{{.*}}, %c0_i32, %[[QUERY:[0-9]+]], %[[HEAD:[0-9]+]] :
// The consumers: a thread's two rows.
// CHECK: %[[FIRST:[0-9]+]] = arith.remui %[[ROW:[0-9]+]], %c16_i32 : i32
// CHECK: %[[HEADOF:[0-9]+]] = arith.divui %[[ROW]], %c16_i32 : i32
// CHECK: %[[AT:[0-9]+]] = arith.addi %[[HEAD]], %[[HEADOF]] : i32
// CHECK: %[[IN0:[0-9]+]] = arith.cmpi ult, %[[AT]], %{{.*}} : i32
// CHECK: %[[AT1:[0-9]+]] = arith.addi %[[QUERY]], %[[FIRST]] : i32
// CHECK: %[[IN1:[0-9]+]] = arith.cmpi ult, %[[AT1]], %{{.*}} : i32
// CHECK: %[[IN:[0-9]+]] = arith.andi %[[IN0]], %[[IN1]] : i1
// CHECK: scf.if %[[IN]]
// CHECK: llvm.store {{.*}} : vector<2xf32>
// CHECK: arith.remui %{{.*}}, %c16_i32 : i32
// CHECK: scf.if
// CHECK: llvm.store {{.*}} : f32
!ring = !warp.ring<1, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
warp.func @joined(%x: !tile.view<[H, M, 64], bf16>, %y: !tile.view<[H, M, 64], f32> {tile.output},
                  %z: !tile.view<[H, M], f32> {tile.output}) attributes {dims = ["H", "M"], grid = ["M", "H"]} {
  %c0 = arith.constant 0 : i32
  %query = tile.program_id 0
  %head = tile.program_id 1
  %r = warp.ring_create "x" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %s bytes 8192 : !slot {
        warp.tma_load %x[%head, %query, %c0] axis 1 size 16 by 64 outer 4 at 0, 0 : !tile.view<[H, M, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %p = warp.wgmma_ss %s, %s trans_b : !slot, !slot -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %p : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !slot
      warp.store_global %w, %y[%head, %query, %c0] sizes [4, 16, 64] : tensor<64x64xf32, #warp.acc>, !tile.view<[H, M, 64], f32>
      %t = warp.row_reduce max %w : tensor<64x64xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
      warp.store_global %t, %z[%head, %query] sizes [4, 16] : tensor<64x1xf32, #warp.row>, !tile.view<[H, M], f32>
    }
  }
  warp.return
}
