// Programs one after the other, with and without carried values: printed as it is read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: warp.func @carried
// CHECK: warp.for_tiles(%[[X:.*]], %{{.*}}, %{{.*}}) carry(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) {
// CHECK: %[[NEXT:.*]] = arith.addi %[[A]], %[[X]] : i32
// CHECK: warp.roles {
// CHECK: warp.next_tile %[[NEXT]], %[[A]] : i32, i32
warp.func @carried() attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  warp.for_tiles(%x, %y, %z) carry(%a = %c0, %b = %c0) {
    %next = arith.addi %a, %x : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
    warp.next_tile %next, %a : i32, i32
  }
  warp.return
}

// CHECK-LABEL: warp.func @plain
// CHECK: warp.for_tiles(%{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: warp.roles {
// CHECK-NOT: warp.next_tile
// CHECK: warp.return
warp.func @plain() attributes {dims = ["N"], grid = ["N"]} {
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
      }
    }
  }
  warp.return
}
