// Tiles in registers, in every layout.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

// Every layout, each operation on one of them; a scalar condition may stand beside.
// CHECK-LABEL: warp.func @layouts(
warp.func @layouts(%n: i32, %p: i1) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %acc = arith.constant dense<1.0> : tensor<64x40xf32, #warp.acc>
      %wide = arith.constant dense<1.0> : tensor<64x48xbf16, #warp.acc>
      %fragment = warp.pack_afrag %wide : tensor<64x48xbf16, #warp.acc> -> tensor<64x48xbf16, #warp.afrag>
      %row = warp.row_reduce max %acc : tensor<64x40xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
      %rows = warp.broadcast %row : tensor<64x1xf32, #warp.row> -> tensor<64x40xf32, #warp.acc>
      %col = warp.positions %n, %n : tensor<1x48xi32, #warp.col>
      %columns = warp.broadcast %col : tensor<1x48xi32, #warp.col> -> tensor<64x48xi32, #warp.acc>
      %number = warp.iota : tensor<1x40xi32, #warp.col>
      %scalar = warp.broadcast %n : i32 -> tensor<1x40xi32, #warp.col>
      %same = warp.broadcast %number : tensor<1x40xi32, #warp.col> -> tensor<1x40xi32, #warp.col>
      %less = arith.cmpf olt, %acc, %rows : tensor<64x40xf32, #warp.acc>
      %scaled = warp.scale_rows %acc by %row : tensor<64x40xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
      %least = arith.select %less, %acc, %rows : tensor<64x40xi1, #warp.acc>, tensor<64x40xf32, #warp.acc>
      %either = arith.select %p, %acc, %least : tensor<64x40xf32, #warp.acc>
    }
  }
  warp.return
}
