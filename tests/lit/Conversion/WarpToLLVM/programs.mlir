// What a role keeps from program to program goes round in its loop; what stands around all programs runs once.
// RUN: lacuna-opt %s --lower-warp --canonicalize --split-input-file | FileCheck %s
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: llvm.func @kept
// The consumers.
// CHECK: } else {
// CHECK: %[[FIRST:.*]] = math.exp2 %{{.*}} : f32
// CHECK: %[[END:.*]]:4 = scf.while (%[[ROUND:.*]] = %c0_i32, %[[A:.*]] = %[[FIRST]], %[[B:.*]] = %[[FIRST]], %[[ROW:.*]] = %c0_i32)
// CHECK: mbarrier.try_wait
// CHECK: scf.condition(%{{.*}}) %[[ROUND]], %[[A]], %[[B]], %[[ROW]]
// CHECK: } do {
// CHECK: ^bb0(%[[ROUND1:.*]]: i32, %[[A1:.*]]: f32, %[[B1:.*]]: f32, %{{.*}}: i32):
// CHECK: %[[A2:.*]] = arith.addf %[[A1]], %[[A1]] : f32
// CHECK: %[[B2:.*]] = arith.addf %[[B1]], %[[B1]] : f32
// CHECK: %[[NEXT:.*]] = arith.addi %[[ROUND1]], %c1_i32 : i32
// CHECK: scf.yield %[[NEXT]], %[[A2]], %[[B2]], %{{.*}} : i32, f32, f32, i32
// CHECK: }
// After the last program.
// CHECK: llvm.store %[[END]]#{{[12]}}
warp.func @kept(%x: f32, %y: !tile.view<[M], f32> {tile.output}) attributes {dims = ["M"], grid = ["M"]} {
  %c0 = arith.constant 0 : i32
  warp.for_tiles(%px, %py, %pz) {
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
      }
      warp.role consumer warpgroups 1 registers 232 enter {
        %e = math.exp2 %x : f32
        %first = warp.broadcast %e : f32 -> tensor<64x1xf32, #warp.row>
        warp.role_yield %first, %c0 : tensor<64x1xf32, #warp.row>, i32
      } each(%sum: tensor<64x1xf32, #warp.row>, %row: i32) {
        %more = arith.addf %sum, %sum : tensor<64x1xf32, #warp.row>
        warp.role_yield %more, %px : tensor<64x1xf32, #warp.row>, i32
      } leave(%sum: tensor<64x1xf32, #warp.row>, %row: i32) {
        warp.store_global %sum, %y[%row] sizes [64] : tensor<64x1xf32, #warp.row>, !tile.view<[M], f32>
      }
    }
  }
  warp.return
}

// -----

// An empty row has one step, past the limit at a multiple of 64, and reads no entry.
// CHECK-LABEL: llvm.func @nonempty
// CHECK-SAME: %[[LIMIT:arg6]]: i32
// CHECK: %[[EMPTY:.*]] = arith.cmpi eq, %[[FIRST:[0-9]+]], %[[LAST:[0-9]+]] : i32
// CHECK: %[[ONE:.*]] = arith.extui %[[EMPTY]] : i1 to i32
// CHECK: %[[COUNT:.*]] = arith.addi %{{.*}}, %[[ONE]] : i32
// CHECK: %[[MASKED:.*]] = arith.addi %{{.*}}, %[[ONE]] : i32
// CHECK: scf.for {{.*}} = %[[MASKED]] to %[[COUNT]]
// CHECK: arith.cmpi eq, %[[FIRST]], %[[LAST]] : i32
// CHECK: scf.if
// CHECK: %[[UP:.*]] = arith.addi %[[LIMIT]], %c63_i32 : i32
// CHECK: arith.andi %[[UP]], %c-64_i32 : i32
// CHECK: } else {
// CHECK: llvm.load
// CHECK: }
warp.func @nonempty(%rows: !tile.blocks<128, 128, [B, H]>, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["B", "H", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %row = tile.program_id 0
  %l = warp.list_open %rows[%c0, %c0, %row] limit %limit nonempty : !tile.blocks<128, 128, [B, H]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      %count = warp.list_count %l : !warp.list<128, 128>
      %masked = warp.list_masked %l : !warp.list<128, 128>
      scf.for %i = %masked to %count step %c1 : i32 {
        %p, %e, %start = warp.list_step %l[%i] : !warp.list<128, 128> -> i32
        %column = warp.broadcast %start : i32 -> tensor<64x1xi32, #warp.row>
        warp.store_global %column, %y[%i] sizes [64] : tensor<64x1xi32, #warp.row>, !tile.view<[M], i32>
      }
    }
  }
  warp.return
}

// -----

// The producer hands the mailbox back in the step with six to go, or in its first; behind the loop where it has none.
// CHECK-LABEL: llvm.func @late
// CHECK: scf.while
// CHECK: scf.while
// CHECK: scf.for %[[I:.*]] = %c0_i32 to %[[STEPS:.*]] step %c1_i32
// CHECK: %[[LEFT:.*]] = arith.subi %[[STEPS]], %[[I]] : i32
// CHECK: %[[NEAR:.*]] = arith.cmpi sle, %[[LEFT]], %c6_i32 : i32
// CHECK: %[[NOT:.*]] = arith.cmpi sgt, %[[LEFT]], %c5_i32 : i32
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[I]], %c0_i32 : i32
// CHECK: %[[EITHER:.*]] = arith.ori %[[FIRST]], %[[NOT]] : i1
// CHECK: %[[NOW:.*]] = arith.andi %[[NEAR]], %[[EITHER]] : i1
// CHECK: mbarrier.arrive.shared::cta.b64 {{.*}} %[[NOW]]
// CHECK: }
// CHECK: %[[NONE:.*]] = arith.cmpi sle, %[[STEPS]], %c0_i32 : i32
// CHECK: mbarrier.arrive.shared::cta.b64 {{.*}} %[[NONE]]
// The consumers hand it back when they have read it.
// CHECK: } else {
// CHECK: scf.while
// CHECK: mbarrier.arrive.shared::cta.b64
// CHECK: scf.for
// CHECK-NOT: mbarrier.arrive
// CHECK: }
warp.func @late(%steps: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["M"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.for_tiles(%px, %py, %pz) {
    %count = arith.addi %px, %steps : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        scf.for %i = %c0 to %count step %c1 : i32 {
        }
      }
      warp.role consumer warpgroups 1 registers 232 {
        scf.for %i = %c0 to %count step %c1 : i32 {
          %column = warp.broadcast %i : i32 -> tensor<64x1xi32, #warp.row>
          warp.store_global %column, %y[%i] sizes [64] : tensor<64x1xi32, #warp.row>, !tile.view<[M], i32>
        }
      }
    }
  }
  warp.return
}

// -----

// Six steps may be more than an i32 holds.
// CHECK-LABEL: llvm.func @far
// CHECK: scf.for %[[I:.*]] = %c0_i32 to %c1073741824_i32 step %c536870912_i32
// CHECK: %[[AT:.*]] = arith.extsi %[[I]] : i32 to i64
// CHECK: %[[LEFT:.*]] = arith.subi %c1073741824_i64, %[[AT]] : i64
// CHECK: arith.cmpi sle, %[[LEFT]], %c3221225472_i64 : i64
// CHECK: arith.cmpi sgt, %[[LEFT]], %c2684354560_i64 : i64
warp.func @far(%y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["M"]} {
  %c0 = arith.constant 0 : i32
  %end = arith.constant 1073741824 : i32
  %half = arith.constant 536870912 : i32
  warp.for_tiles(%px, %py, %pz) {
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        scf.for %i = %c0 to %end step %half : i32 {
        }
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.return
}
