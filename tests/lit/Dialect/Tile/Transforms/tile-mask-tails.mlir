// Where a reduction or contraction may meet positions past the end, its operand is masked with the neutral value, once.
// A second run finds nothing left to do.
// RUN: lacuna-opt %s --tile-mask-tails | FileCheck %s
// RUN: lacuna-opt %s --tile-mask-tails --tile-mask-tails | FileCheck %s

// A softmax over the keys of a sparse loop: one mask, on the scores. exp(-inf) is 0, so neither the sum nor the second
// product needs one; the first product reads zeros on both sides along D.
// CHECK-LABEL: tile.func @softmax
tile.func @softmax(%k: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<64, 64, [1, 1]>,
                   %o: !tile.view<[64, 64], f32> {tile.output}, %d: !tile.view<[64], f32> {tile.output})
    attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %zero_row = arith.constant dense<0.0> : tensor<64x1xf32>
  %inf_row = arith.constant dense<0xFF800000> : tensor<64x1xf32>
  %q = tile.load %k[%c0, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  // CHECK: tile.for_blocks %[[T:[a-z0-9]+]] in
  %r:3 = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %n init(%acc = %zero, %mx = %inf_row, %den = %zero_row) : !tile.blocks<64, 64, [1, 1]>, tensor<64x64xf32>, tensor<64x1xf32>, tensor<64x1xf32> {
    %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %kt = tile.transpose %tk : tensor<64x64xbf16> -> tensor<64x64xbf16>
    // CHECK: %[[S:.*]] = tile.dot
    %s = tile.dot %q, %kt : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    // CHECK-NEXT: %[[N:.*]] = tile.dim "N"
    // CHECK-NEXT: %[[PAST:.*]] = tile.exceeds %[[T]], %[[N]] : !tile.positions<64>
    // CHECK-NEXT: %[[MASKED:.*]] = scf.if %[[PAST]] -> (tensor<64x64xf32>) {
    // CHECK-NEXT: %[[POS:.*]] = tile.key_positions %[[T]] : !tile.positions<64> -> tensor<1x64xi32>
    // CHECK-NEXT: %[[END:.*]] = tile.dim "N"
    // CHECK-NEXT: %[[ENDS:.*]] = tile.broadcast %[[END]] : i32 -> tensor<1x64xi32>
    // CHECK-NEXT: %[[COUNTS:.*]] = arith.cmpi slt, %[[POS]], %[[ENDS]] : tensor<1x64xi32>
    // CHECK-NEXT: %[[BITS:.*]] = tile.broadcast %[[COUNTS]] : tensor<1x64xi1> -> tensor<64x64xi1>
    // CHECK-NEXT: %[[INF:.*]] = arith.constant dense<0xFF800000> : tensor<64x64xf32>
    // CHECK-NEXT: %[[SEL:.*]] = arith.select %[[BITS]], %[[S]], %[[INF]]
    // CHECK-NEXT: scf.yield %[[SEL]]
    // CHECK-NEXT: } else {
    // CHECK-NEXT: scf.yield %[[S]]
    // CHECK-NEXT: }
    // CHECK-NEXT: tile.reduce max %[[MASKED]]
    %rm = tile.reduce max %s axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %nm = arith.maxnumf %mx, %rm : tensor<64x1xf32>
    %empty = arith.cmpf oeq, %nm, %inf_row : tensor<64x1xf32>
    %c = arith.select %empty, %zero_row, %nm : tensor<64x1xi1>, tensor<64x1xf32>
    %ct = tile.broadcast %c : tensor<64x1xf32> -> tensor<64x64xf32>
    // CHECK: arith.subf %[[MASKED]]
    // CHECK-NOT: scf.if
    // CHECK: tile.yield
    %sc = arith.subf %s, %ct : tensor<64x64xf32>
    %p = math.exp %sc : tensor<64x64xf32>
    %sum = tile.reduce add %p axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %den1 = arith.addf %den, %sum : tensor<64x1xf32>
    %p16 = arith.truncf %p : tensor<64x64xf32> to tensor<64x64xbf16>
    %acc1 = tile.dot %p16, %tk acc %acc : tensor<64x64xf32> : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.yield %acc1, %nm, %den1 : tensor<64x64xf32>, tensor<64x1xf32>, tensor<64x1xf32>
  }
  tile.store %r#0, %o[%c0, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[64, 64], f32>, i32, i32)
  tile.store %r#2, %d[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// A mask that the author wrote, t[j] < N, is as good as ours, and so is one by a dimension's value.
// CHECK-LABEL: tile.func @written_by_hand
// CHECK-NOT: scf.if
// CHECK: tile.return
tile.func @written_by_hand(%x: !tile.view<[64, N], f32>, %rows: !tile.blocks<64, 64, [1, 1]>,
                           %y: !tile.view<[64], f32> {tile.output}) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %n = tile.dim "N"
  %inf = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %inf_row = arith.constant dense<0xFF800000> : tensor<64x1xf32>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %n init(%mx = %inf_row) : !tile.blocks<64, 64, [1, 1]>, tensor<64x1xf32> {
    %s = tile.load %x[%c0, %t] sizes [64, 64] : (!tile.view<[64, N], f32>, i32, !tile.positions<64>) -> tensor<64x64xf32>
    %k = tile.key_positions %t : !tile.positions<64> -> tensor<1x64xi32>
    %kt = tile.broadcast %k : tensor<1x64xi32> -> tensor<64x64xi32>
    %nt = tile.broadcast %n : i32 -> tensor<64x64xi32>
    %odd = arith.constant dense<true> : tensor<64x64xi1>
    %in = arith.cmpi slt, %kt, %nt : tensor<64x64xi32>
    %both = arith.andi %odd, %in : tensor<64x64xi1>
    %m = arith.select %both, %s, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    %rm = tile.reduce max %m axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %nm = arith.maxnumf %mx, %rm : tensor<64x1xf32>
    tile.yield %nm : tensor<64x1xf32>
  }
  tile.store %r, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}

// A loop's limit short of the view's end: what is loaded there is data, so a sum needs the mask that a load at the end of
// its view would not.
// CHECK-LABEL: tile.func @limit_before_end
// CHECK: tile.exceeds %{{.*}}, %{{.*}} : !tile.positions<64>
// CHECK: tile.reduce add
tile.func @limit_before_end(%x: !tile.view<[64, N], f32>, %rows: !tile.blocks<64, 64, [1, 1]>, %used: i32,
                            %y: !tile.view<[64], f32> {tile.output}) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %zero_row = arith.constant dense<0.0> : tensor<64x1xf32>
  %r = tile.for_blocks %t in %rows[%c0, %c0, %c0] step 64 limit %used init(%den = %zero_row) : !tile.blocks<64, 64, [1, 1]>, tensor<64x1xf32> {
    %s = tile.load %x[%c0, %t] sizes [64, 64] : (!tile.view<[64, N], f32>, i32, !tile.positions<64>) -> tensor<64x64xf32>
    %sum = tile.reduce add %s axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %den1 = arith.addf %den, %sum : tensor<64x1xf32>
    tile.yield %den1 : tensor<64x1xf32>
  }
  tile.store %r, %y[%c0] sizes [64] : tensor<64x1xf32>, (!tile.view<[64], f32>, i32)
  tile.return
}
