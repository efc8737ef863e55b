// A map that ignores its input still runs along the input's positions: what lies past their end must not count.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(tile.func(tile-vectorize-maps))' | FileCheck %s --check-prefix=MAP
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(tile.func(tile-vectorize-maps,tile-mask-tails))' | FileCheck %s --check-prefix=MASK

// MAP-LABEL: tile.func @constant_score
// MAP: %[[S:.*]] = tile.dot
// MAP: %[[C:.*]] = tile.broadcast
// MAP: tile.along %[[C]], %[[S]]
// MASK-LABEL: tile.func @constant_score
// MASK-NOT: tile.along
// MASK: tile.exceeds
// MASK: arith.select
// MASK: tile.reduce add
tile.func @constant_score(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>,
                          %rows: !tile.blocks<64, 64, [B, H]>, %o: !tile.view<[B, H, M], f32> {tile.output})
    attributes {dims = ["M", "N", "B", "H"], grid = ["ceildiv(M, 64)", "H", "B"]} {
  %p = tile.program_id 0
  %h = tile.program_id 1
  %b = tile.program_id 2
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %r = arith.muli %p, %c64 : i32
  %n = tile.dim "N"
  %score = arith.constant 1.5 : f32
  %zero = arith.constant dense<0.0> : tensor<64x1xf32>
  %tq = tile.load %q[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], bf16>, i32, i32) -> tensor<64x64xbf16>
  %sum = tile.for_blocks %t in %rows[%b, %h, %p] step 64 limit %n init(%acc = %zero) : !tile.blocks<64, 64, [B, H]>, tensor<64x1xf32> {
    %tk = tile.load %k[%t, %c0] sizes [64, 64] : (!tile.view<[N, 64], bf16>, !tile.positions<64>, i32) -> tensor<64x64xbf16>
    %kt = tile.transpose %tk : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %tq, %kt : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %m = tile.map %s : tensor<64x64xf32> -> tensor<64x64xf32> {
    ^bb0(%x: f32, %i: i32, %j: i32):
      tile.yield %score : f32
    }
    %rs = tile.reduce add %m axes [1] : tensor<64x64xf32> -> tensor<64x1xf32>
    %next = arith.addf %acc, %rs : tensor<64x1xf32>
    tile.yield %next : tensor<64x1xf32>
  }
  tile.store %sum, %o[%b, %h, %r] sizes [0, 0, 64] : tensor<64x1xf32>, (!tile.view<[B, H, M], f32>, i32, i32, i32)
  tile.return
}
