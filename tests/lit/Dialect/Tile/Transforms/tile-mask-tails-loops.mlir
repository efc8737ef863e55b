// Values that loops carry, branches, and stores.
// RUN: lacuna-opt %s --tile-mask-tails | FileCheck %s
// RUN: lacuna-opt %s --tile-mask-tails --tile-mask-tails | FileCheck %s

// A sum carried over the steps contracts the positions as well: its terms must be zero past the end, since the axis
// stands for other positions in the next step.
// CHECK-LABEL: tile.func @carried_sum
tile.func @carried_sum(%x: !tile.view<[64, N], f32>, %y: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c32 = arith.constant 32 : i32
  %n = tile.dim "N"
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  // CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}})
  %r = scf.for %i = %c0 to %n step %c32 iter_args(%acc = %zero) -> tensor<64x32xf32> : i32 {
    %t = tile.load %x[%c0, %i] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
    // CHECK: %[[E:.*]] = math.exp
    %e = math.exp %t : tensor<64x32xf32>
    // CHECK: %[[M:.*]] = scf.if
    // CHECK: arith.select %{{.*}}, %[[E]], %{{.*}}
    // CHECK: arith.addf %[[ACC]], %[[M]]
    %next = arith.addf %acc, %e : tensor<64x32xf32>
    scf.yield %next : tensor<64x32xf32>
  }
  // CHECK: }
  // CHECK-NOT: scf.if
  // CHECK: tile.reduce add
  %sum = tile.reduce add %r axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  tile.store %sum, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// Rows that start outside of the loop keep their meaning through it: the reduction after it masks them.
// CHECK-LABEL: tile.func @carried_rows
tile.func @carried_rows(%x: !tile.view<[M, 64], bf16>, %w: !tile.view<[64, 64], bf16>, %y: !tile.view<[P, 64], f32> {tile.output})
    attributes {dims = ["M", "P"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %p = tile.program_id 0
  %start = arith.muli %p, %c64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %t = tile.load %x[%start, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // CHECK: %[[R:.*]] = scf.for
  // CHECK-NOT: scf.if
  // CHECK: scf.yield
  %r = scf.for %i = %c0 to %c64 step %c1 iter_args(%acc = %zero) -> tensor<64x64xf32> : i32 {
    %tw = tile.load %w[%c0, %c0] sizes [64, 64] : (!tile.view<[64, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
    %next = tile.dot %t, %tw acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  }
  // CHECK: %[[M:.*]] = scf.if
  // CHECK: arith.select %{{.*}}, %[[R]]
  // CHECK: tile.reduce max %[[M]] axes [0]
  %max = tile.reduce max %r axes [0] : tensor<64x64xf32> -> tensor<1x64xf32>
  %column = tile.transpose %max : tensor<1x64xf32> -> tensor<64x1xf32>
  tile.store %column, %y[%p, %c0] sizes [0, 64] : tensor<64x1xf32>, (!tile.view<[P, 64], f32>, i32, i32)
  tile.return
}

// A mask in one branch serves that branch only.
// CHECK-LABEL: tile.func @branches
tile.func @branches(%x: !tile.view<[64, N], f32>, %y: !tile.view<[64], f32> {tile.output}, %flag: i32)
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %on = arith.cmpi ne, %flag, %c0 : i32
  // CHECK: %[[T:.*]] = tile.load
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
  // CHECK: scf.if
  %r = scf.if %on -> tensor<64x1xf32> {
    // CHECK: %[[M:.*]] = scf.if
    // CHECK: tile.reduce max %[[M]]
    %max = tile.reduce max %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
    scf.yield %max : tensor<64x1xf32>
  } else {
    // CHECK: tile.reduce add %[[T]]
    %sum = tile.reduce add %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
    scf.yield %sum : tensor<64x1xf32>
  }
  tile.store %r, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// A store to a view with another end shows what lies past this one: it keeps the values as they were.
// CHECK-LABEL: tile.func @stores
tile.func @stores(%x: !tile.view<[64, N], f32>, %same: !tile.view<[64, N], f32> {tile.output},
                  %longer: !tile.view<[64, L], f32> {tile.output}, %y: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["N", "L"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // CHECK: %[[T:.*]] = tile.load
  %t = tile.load %x[%c0, %c0] sizes [64, 32] : (!tile.view<[64, N], f32>, i32, i32) -> tensor<64x32xf32>
  // CHECK: %[[M:.*]] = scf.if
  // CHECK: tile.reduce max %[[M]]
  %max = tile.reduce max %t axes [1] : tensor<64x32xf32> -> tensor<64x1xf32>
  // CHECK: arith.negf %[[M]]
  %n1 = arith.negf %t : tensor<64x32xf32>
  // CHECK: math.absf %[[T]]
  %n2 = math.absf %t : tensor<64x32xf32>
  // Carried to a later step and stored there.
  // CHECK: scf.yield %[[T]]
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  %carried = scf.for %i = %c0 to %c2 step %c1 iter_args(%before = %zero) -> tensor<64x32xf32> : i32 {
    tile.store %before, %longer[%c0, %i] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, L], f32>, i32, i32)
    scf.yield %t : tensor<64x32xf32>
  }
  tile.store %n1, %same[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, N], f32>, i32, i32)
  tile.store %n2, %longer[%c0, %c0] sizes [64, 32] : tensor<64x32xf32>, (!tile.view<[64, L], f32>, i32, i32)
  tile.store %max, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
