// Rows along two axes of a view: what lies past the end of either does not count.
// RUN: lacuna-opt %s --tile-mask-tails | FileCheck %s
// RUN: lacuna-opt %s --tile-mask-tails --tile-mask-tails | FileCheck %s

// Row r is head h + r / 16 and query q + r % 16: one mask for each.
// CHECK-LABEL: tile.func @maximum
tile.func @maximum(%x: !tile.view<[H, M, 64], f32>, %y: !tile.view<[P, Q], f32> {tile.output})
    attributes {dims = ["H", "M", "P", "Q"], grid = ["P", "Q"]} {
  %c0 = arith.constant 0 : i32
  %c4 = arith.constant 4 : i32
  %c16 = arith.constant 16 : i32
  %p = tile.program_id 0
  %q = tile.program_id 1
  // CHECK: %[[HEAD:.*]] = arith.muli %{{.*}}, %c4
  %head = arith.muli %p, %c4 : i32
  // CHECK: %[[QUERY:.*]] = arith.muli %{{.*}}, %c16
  %query = arith.muli %q, %c16 : i32
  // CHECK: %[[X:.*]] = tile.load
  %t = tile.load %x[%head, %query, %c0] sizes [4, 16, 64] : (!tile.view<[H, M, 64], f32>, i32, i32, i32) -> tensor<64x64xf32>
  // CHECK: %[[HEADS:.*]] = arith.subi %{{.*}}, %[[HEAD]] : i32
  // CHECK: %[[PAST:.*]] = arith.cmpi slt, %[[HEADS]], %{{.*}} : i32
  // CHECK: %[[ONE:.*]] = scf.if %[[PAST]]
  // CHECK: %[[R:.*]] = tile.iota : tensor<64x1xi32>
  // CHECK: %[[SIXTEEN:.*]] = arith.constant dense<16> : tensor<64x1xi32>
  // CHECK: %[[OF:.*]] = arith.divui %[[R]], %[[SIXTEEN]]
  // CHECK-NOT: arith.remui
  // CHECK: arith.cmpi slt, %[[OF]], %{{.*}} : tensor<64x1xi32>
  // CHECK: arith.select
  // CHECK: %[[QUERIES:.*]] = arith.subi %{{.*}}, %[[QUERY]] : i32
  // CHECK: %[[PAST2:.*]] = arith.cmpi slt, %[[QUERIES]], %{{.*}} : i32
  // CHECK: %[[BOTH:.*]] = scf.if %[[PAST2]]
  // CHECK: %[[R2:.*]] = tile.iota : tensor<64x1xi32>
  // CHECK: %[[OF2:.*]] = arith.remui %[[R2]], %{{.*}} : tensor<64x1xi32>
  // CHECK: arith.cmpi slt, %[[OF2]], %{{.*}} : tensor<64x1xi32>
  // CHECK: arith.select %{{.*}}, %[[ONE]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xf32>
  // CHECK: tile.reduce max %[[BOTH]] axes [0, 1]
  // CHECK-NOT: scf.if
  %max = tile.reduce max %t axes [0, 1] : tensor<64x64xf32> -> f32
  tile.store %max, %y[%p, %q] sizes [0, 0] : f32, (!tile.view<[P, Q], f32>, i32, i32)
  tile.return
}

// A sum needs no mask, since a load is zero past both ends; nor do rows that fit, or that are kept.
// CHECK-LABEL: tile.func @nothing_to_do
// CHECK-NOT: scf.if
// CHECK-NOT: arith.select
// CHECK: tile.return
tile.func @nothing_to_do(%x: !tile.view<[H, M, 64], f32>, %fits: !tile.view<[4, 16, 64], f32>,
                         %y: !tile.view<[H, M], f32> {tile.output}, %z: !tile.view<[H, M, 2], f32> {tile.output})
    attributes {dims = ["H", "M"], grid = ["ceildiv(H, 4)", "ceildiv(M, 16)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c16 = arith.constant 16 : i32
  %p = tile.program_id 0
  %q = tile.program_id 1
  %head = arith.muli %p, %c4 : i32
  %query = arith.muli %q, %c16 : i32
  %t = tile.load %x[%head, %query, %c0] sizes [4, 16, 64] : (!tile.view<[H, M, 64], f32>, i32, i32, i32) -> tensor<64x64xf32>
  %e = math.exp2 %t : tensor<64x64xf32>
  %rows = tile.reduce max %e axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  tile.store %rows, %y[%head, %query] sizes [4, 16] : tensor<64x1xf32>, (!tile.view<[H, M], f32>, i32, i32)
  %sum = tile.reduce add %t axes [0, 1] : tensor<64x64xf32> -> f32
  tile.store %sum, %z[%p, %q, %c0] sizes [0, 0, 0] : f32, (!tile.view<[H, M, 2], f32>, i32, i32, i32)
  %whole = tile.load %fits[%c0, %c0, %c0] sizes [4, 16, 64] : (!tile.view<[4, 16, 64], f32>, i32, i32, i32) -> tensor<64x64xf32>
  %most = tile.reduce max %whole axes [0, 1] : tensor<64x64xf32> -> f32
  tile.store %most, %z[%p, %q, %c1] sizes [0, 0, 0] : f32, (!tile.view<[H, M, 2], f32>, i32, i32, i32)
  tile.return
}

// exp(0) is 1: along the transposed rows, the columns past either end are taken out of a sum.
// CHECK-LABEL: tile.func @transposed
// CHECK: arith.divui {{.*}} : tensor<1x64xi32>
// CHECK: arith.remui {{.*}} : tensor<1x64xi32>
// CHECK: tile.reduce add %{{.*}} axes [1]
tile.func @transposed(%x: !tile.view<[H, M, 64], f32>, %y: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["H", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0, %c0] sizes [4, 16, 64] : (!tile.view<[H, M, 64], f32>, i32, i32, i32) -> tensor<64x64xf32>
  %u = tile.transpose %t : tensor<64x64xf32> -> tensor<64x64xf32>
  %e = math.exp %u : tensor<64x64xf32>
  %sum = tile.reduce add %e axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
  tile.store %sum, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
