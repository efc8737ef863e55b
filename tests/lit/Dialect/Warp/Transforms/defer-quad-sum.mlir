// A running row sum combines the four lanes of a row once, after its loop, where it starts at zero and is linear in
// what the lanes hold; elsewhere it stays as it is.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-defer-quad-sum))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

!row = tensor<64x1xf32, #warp.row>
!acc = tensor<64x64xf32, #warp.acc>

// CHECK-LABEL: warp.func @rescaled
// CHECK: %[[LOOP:.*]] = scf.for {{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) ->
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[SUM]], %[[R:.*]] :
// CHECK:   %[[PART:.*]] = warp.row_reduce add
// CHECK-NOT: warp.quad_reduce
// CHECK:   %[[NEXT:.*]] = arith.addf %[[SCALED]], %[[PART]] :
// CHECK:   scf.yield %[[NEXT]]
// CHECK: }
// CHECK: %[[WHOLE:.*]] = warp.quad_reduce add %[[LOOP]] : tensor<64x1xf32, #warp.row>
// CHECK: warp.store_global %[[WHOLE]], {{.*}}
// CHECK: warp.store_global %[[WHOLE]], {{.*}}
warp.func @rescaled(%y: !tile.view<[N], f32>, %r: f32, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %rv = warp.broadcast %r : f32 -> !row
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %scaled = arith.mulf %l, %rv : !row
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %scaled, %s : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.store_global %sum, %y[%c1] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// Without a factor, and with the sum on the left.
// CHECK-LABEL: warp.func @plain
// CHECK: %[[LOOP:.*]] = scf.for
// CHECK: %[[PART:.*]] = warp.row_reduce add
// CHECK-NEXT: arith.addf %[[PART]], %{{.*}} :
// CHECK: warp.quad_reduce add %[[LOOP]]
warp.func @plain(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<-0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %s, %l : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The loop's other values are left alone.
// CHECK-LABEL: warp.func @beside_a_maximum
// CHECK: %[[LOOP:.*]]:2 = scf.for
// CHECK: warp.quad_reduce max
// CHECK: scf.yield
// CHECK: }
// CHECK-NEXT: %[[WHOLE:.*]] = warp.quad_reduce add %[[LOOP]]#1
// CHECK: warp.store_global %[[LOOP]]#0
// CHECK: warp.store_global %[[WHOLE]]
warp.func @beside_a_maximum(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %zero, %l = %zero) -> (!row, !row) : i32 {
    %pm = warp.row_reduce max %x : !acc -> !row
    %qm = warp.quad_reduce max %pm : !row
    %nm = arith.maxnumf %m, %qm : !row
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %l, %s : !row
    scf.yield %nm, %next : !row, !row
  }
  warp.store_global %r#0, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.store_global %r#1, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

//===--------------------------------------------------------------------------------------------------------------===//
// Left as they are: the combination stays in the loop
//===--------------------------------------------------------------------------------------------------------------===//

// A start that is not zero would count four times.
// CHECK-LABEL: warp.func @starts_at_one
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @starts_at_one(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %one = arith.constant dense<1.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %one) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %l, %s : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The sum so far is read in the loop.
// CHECK-LABEL: warp.func @read_in_the_loop
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: warp.store_global
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @read_in_the_loop(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %l, %s : !row
    warp.store_global %l, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The sum of a step is read by something else, too.
// CHECK-LABEL: warp.func @step_sum_read
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @step_sum_read(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %l, %s : !row
    warp.store_global %s, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The new sum is read in the loop as well.
// CHECK-LABEL: warp.func @new_sum_read
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @new_sum_read(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %l, %s : !row
    warp.store_global %next, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The carried value is squared: not linear.
// CHECK-LABEL: warp.func @squared
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @squared(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %square = arith.mulf %l, %l : !row
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %square, %s : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// A factor that differs between the lanes of a row (a part of a row's sum) cannot be taken out.
// CHECK-LABEL: warp.func @uneven_factor
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @uneven_factor(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %scaled = arith.mulf %l, %part : !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %scaled, %s : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// A maximum is no sum.
// CHECK-LABEL: warp.func @maximum
// CHECK: scf.for
// CHECK: warp.quad_reduce max
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @maximum(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (!row) : i32 {
    %part = warp.row_reduce max %x : !acc -> !row
    %s = warp.quad_reduce max %part : !row
    %next = arith.addf %l, %s : !row
    scf.yield %next : !row
  }
  warp.store_global %sum, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// The factor of an online softmax: a running maximum, carried and chosen under a condition, is the same in all lanes.
// CHECK-LABEL: warp.func @carried_factor
// CHECK: %[[LOOP:.*]]:2 = scf.for
// CHECK: warp.quad_reduce max
// CHECK-NOT: warp.quad_reduce add
// CHECK: scf.yield %{{.*}}, %{{.*}} : tensor<64x1xf32, #warp.row>, tensor<64x1xf32, #warp.row>
// CHECK: warp.quad_reduce add %[[LOOP]]#1
warp.func @carried_factor(%y: !tile.view<[N], f32>, %n: i32, %p: i1) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %zero, %l = %zero) -> (!row, !row) : i32 {
    %pm = warp.row_reduce max %x : !acc -> !row
    %qm = warp.quad_reduce max %pm : !row
    %nm = arith.maxnumf %m, %qm : !row
    %chosen = scf.if %p -> (!row) {
      scf.yield %nm : !row
    } else {
      scf.yield %m : !row
    }
    %scaled = arith.mulf %chosen, %l : !row
    %part = warp.row_reduce add %x : !acc -> !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %scaled, %s : !row
    scf.yield %nm, %next : !row, !row
  }
  warp.store_global %r#0, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.store_global %r#1, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}

// A carried value that is a lane's own part is none.
// CHECK-LABEL: warp.func @carried_part
// CHECK: scf.for
// CHECK: warp.quad_reduce add
// CHECK: scf.yield
// CHECK-NOT: warp.quad_reduce
// CHECK: warp.return
warp.func @carried_part(%y: !tile.view<[N], f32>, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : !row
  %x = arith.constant dense<1.0> : !acc
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %zero, %l = %zero) -> (!row, !row) : i32 {
    %part = warp.row_reduce add %x : !acc -> !row
    %nm = arith.maxnumf %m, %part : !row
    %scaled = arith.mulf %m, %l : !row
    %s = warp.quad_reduce add %part : !row
    %next = arith.addf %scaled, %s : !row
    scf.yield %nm, %next : !row, !row
  }
  warp.store_global %r#1, %y[%c0] sizes [64] : !row, !tile.view<[N], f32>
  warp.return
}
