// The entry point reads its parameters from an array of pointers, in the order of the launch ABI.
// RUN: lacuna-opt %s -tile-to-cpu | FileCheck %s

// CHECK: llvm.func @lacuna_cpu_scratch(i64) -> (!llvm.ptr {llvm.noalias})
// CHECK-LABEL: llvm.func @copy
// CHECK-SAME:    (%[[PARAMS:.*]]: !llvm.ptr, %[[X:.*]]: i32, %[[Y:.*]]: i32, %{{.*}}: i32)
// CHECK-SAME:    passthrough = ["nounwind"]
// CHECK:       call @lacuna_cpu_scratch
// The view: its pointer, then its one stride.
// CHECK:       %[[I0:.*]] = arith.constant 0 : i64
// CHECK:       %[[SLOT0:.*]] = llvm.getelementptr %[[PARAMS]][%[[I0]]]
// CHECK:       %[[AT0:.*]] = llvm.load %[[SLOT0]] : !llvm.ptr -> !llvm.ptr
// CHECK:       llvm.load %[[AT0]] : !llvm.ptr -> !llvm.ptr
// CHECK:       llvm.load %{{.*}} : !llvm.ptr -> i64
// The list: three pointers, two strides, the number of rows.
// CHECK-COUNT-3: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr{{$}}
// The output, the scalar and the two dimensions.
// CHECK:       llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK:       arith.constant 10 : i64
// CHECK:       llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK:       arith.constant 11 : i64
// CHECK:       llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK-NOT:   arith.constant 12 : i64
// CHECK:       arith.addi %[[X]], %[[Y]] : i32
// CHECK:       llvm.return
// CHECK-NOT:   tile.
tile.func @copy(%x: !tile.view<[M, N], f32>, %rows: !tile.blocks<16, 16, [1, 1]>,
                %y: !tile.view<[M], f32> {tile.output}, %s: f32)
    attributes {dims = ["M", "N"], grid = ["M", "N"]} {
  %i = tile.program_id 0
  %j = tile.program_id 1
  %k = arith.addi %i, %j : i32
  tile.store %s, %y[%k] sizes [0] : f32, (!tile.view<[M], f32>, i32)
  tile.return
}
