// The stage tile.opt of attention.mlir, word for word: what the back ends read.
//
//  * the mask function is inlined and works on tiles, in the branch for partial blocks;
//  * one more mask, for the keys past N, in a branch that only the last tile enters; sums and the second product need none;
//  * the scale is out of the scores: one product a row (%scaled_max) and one in the exponent (%scale2);
//  * exp is one fused multiply-add and one exp2 an element; the division is one reciprocal a row.
//
// RUN: rm -f %t.made %t.expected
// RUN: lacuna-opt %S/attention.mlir --tile-pipeline -o %t.made
// RUN: lacuna-opt %s -o %t.expected
// RUN: diff %t.expected %t.made

tile.func @attention_forward(%q: !tile.view<[B, H, M, 128], bf16> {tile.name = "q"},
                             %k: !tile.view<[B, G, N, 128], bf16> {tile.name = "k"},
                             %v: !tile.view<[B, G, N, 128], bf16> {tile.name = "v"},
                             %rows: !tile.blocks<128, 128, [B, H]> {tile.name = "rows"},
                             %o: !tile.view<[B, H, M, 128], bf16> {tile.name = "o", tile.output},
                             %lse: !tile.view<[B, H, M], f32> {tile.name = "lse", tile.output},
                             %scale: f32 {tile.name = "scale", tile.positive})
    attributes {constraints = ["H % G == 0"], dims = ["B", "H", "M", "G", "N"], grid = ["ceildiv(M, 128)", "H", "B"]} {
  %one_row = arith.constant dense<1.000000e+00> : tensor<128x1xf32>
  %ln2_row = arith.constant dense<0.693147182> : tensor<128x1xf32>
  %log2e = arith.constant 1.44269502 : f32
  %log2e_row = arith.constant dense<1.44269502> : tensor<128x1xf32>
  %minus_inf_tile = arith.constant dense<0xFF800000> : tensor<128x128xf32>
  %c0 = arith.constant 0 : i32
  %c128 = arith.constant 128 : i32
  %zero_tile = arith.constant dense<0.000000e+00> : tensor<128x128xf32>
  %zero_row = arith.constant dense<0.000000e+00> : tensor<128x1xf32>
  %minus_inf_row = arith.constant dense<0xFF800000> : tensor<128x1xf32>
  %qi = tile.program_id 0
  %h = tile.program_id 1
  %b = tile.program_id 2
  %heads = tile.dim "H"
  %kv_heads = tile.dim "G"
  %n = tile.dim "N"
  %group = arith.divsi %heads, %kv_heads : i32
  %g = arith.divsi %h, %group : i32
  %row0 = arith.muli %qi, %c128 : i32
  %block_row = arith.divsi %row0, %c128 : i32
  %tq = tile.load %q[%b, %h, %row0, %c0] sizes [0, 0, 128, 128] : (!tile.view<[B, H, M, 128], bf16>, i32, i32, i32, i32) -> tensor<128x128xbf16>
  %r:3 = tile.for_blocks %t in %rows[%b, %h, %block_row] step 128 limit %n init(%acc = %zero_tile, %mx = %minus_inf_row, %den = %zero_row) : !tile.blocks<128, 128, [B, H]>, tensor<128x128xf32>, tensor<128x1xf32>, tensor<128x1xf32> {
    %tk = tile.load %k[%b, %g, %t, %c0] sizes [0, 0, 128, 128] : (!tile.view<[B, G, N, 128], bf16>, i32, i32, !tile.positions<128>, i32) -> tensor<128x128xbf16>
    %tv = tile.load %v[%b, %g, %t, %c0] sizes [0, 0, 128, 128] : (!tile.view<[B, G, N, 128], bf16>, i32, i32, !tile.positions<128>, i32) -> tensor<128x128xbf16>
    %kt = tile.transpose %tk : tensor<128x128xbf16> -> tensor<128x128xbf16>
    %qk = tile.dot %tq, %kt {label = "qk"} : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
    %partial = tile.is_partial %t : !tile.positions<128>
    %s = scf.if %partial -> (tensor<128x128xf32>) {
      %i = tile.iota : tensor<128x1xi32>
      %row0_rows = tile.broadcast %row0 : i32 -> tensor<128x1xi32>
      %query = arith.addi %row0_rows, %i : tensor<128x1xi32>
      %keys = tile.key_positions %t : !tile.positions<128> -> tensor<1x128xi32>
      %m = tile.dim "M"
      %n_rows = tile.broadcast %n : i32 -> tensor<128x1xi32>
      %query_n = arith.addi %query, %n_rows : tensor<128x1xi32>
      %m_rows = tile.broadcast %m : i32 -> tensor<128x1xi32>
      %last = arith.subi %query_n, %m_rows : tensor<128x1xi32>
      %keys_tile = tile.broadcast %keys : tensor<1x128xi32> -> tensor<128x128xi32>
      %last_tile = tile.broadcast %last : tensor<128x1xi32> -> tensor<128x128xi32>
      %kept = arith.cmpi sle, %keys_tile, %last_tile : tensor<128x128xi32>
      %kept_s = arith.select %kept, %qk, %minus_inf_tile : tensor<128x128xi1>, tensor<128x128xf32>
      scf.yield %kept_s : tensor<128x128xf32>
    } else {
      scf.yield %qk : tensor<128x128xf32>
    }
    %past = tile.exceeds %t, %n : !tile.positions<128>
    %masked = scf.if %past -> (tensor<128x128xf32>) {
      %keys = tile.key_positions %t : !tile.positions<128> -> tensor<1x128xi32>
      %n_columns = tile.broadcast %n : i32 -> tensor<1x128xi32>
      %counts = arith.cmpi slt, %keys, %n_columns : tensor<1x128xi32>
      %counts_tile = tile.broadcast %counts : tensor<1x128xi1> -> tensor<128x128xi1>
      %counted_s = arith.select %counts_tile, %s, %minus_inf_tile : tensor<128x128xi1>, tensor<128x128xf32>
      scf.yield %counted_s : tensor<128x128xf32>
    } else {
      scf.yield %s : tensor<128x128xf32>
    }
    %row_max = tile.reduce max %masked axes [1] : tensor<128x128xf32> -> tensor<128x1xf32>
    %scale_row = tile.broadcast %scale : f32 -> tensor<128x1xf32>
    %scaled_max = arith.mulf %row_max, %scale_row : tensor<128x1xf32>
    %nm = arith.maxnumf %mx, %scaled_max : tensor<128x1xf32>
    %empty = arith.cmpf oeq, %nm, %minus_inf_row : tensor<128x1xf32>
    %c = arith.select %empty, %zero_row, %nm : tensor<128x1xi1>, tensor<128x1xf32>
    %c2 = arith.mulf %c, %log2e_row : tensor<128x1xf32>
    %minus_c2 = arith.negf %c2 : tensor<128x1xf32>
    %scale2 = arith.mulf %scale, %log2e : f32
    %scale2_tile = tile.broadcast %scale2 : f32 -> tensor<128x128xf32>
    %minus_c2_tile = tile.broadcast %minus_c2 : tensor<128x1xf32> -> tensor<128x128xf32>
    %exponent = math.fma %masked, %scale2_tile, %minus_c2_tile : tensor<128x128xf32>
    %p = math.exp2 %exponent : tensor<128x128xf32>
    %mx2 = arith.mulf %mx, %log2e_row : tensor<128x1xf32>
    %mx_c = arith.subf %mx2, %c2 : tensor<128x1xf32>
    %rescale = math.exp2 %mx_c : tensor<128x1xf32>
    %den_rescaled = arith.mulf %den, %rescale : tensor<128x1xf32>
    %row_sum = tile.reduce add %p axes [1] : tensor<128x128xf32> -> tensor<128x1xf32>
    %new_den = arith.addf %den_rescaled, %row_sum : tensor<128x1xf32>
    %rescale_tile = tile.broadcast %rescale : tensor<128x1xf32> -> tensor<128x128xf32>
    %acc_rescaled = arith.mulf %acc, %rescale_tile : tensor<128x128xf32>
    %p16 = arith.truncf %p : tensor<128x128xf32> to tensor<128x128xbf16>
    %new_acc = tile.dot %p16, %tv acc %acc_rescaled : tensor<128x128xf32> : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
    tile.yield %new_acc, %nm, %new_den : tensor<128x128xf32>, tensor<128x1xf32>, tensor<128x1xf32>
  }
  %no_key = arith.cmpf oeq, %r#2, %zero_row : tensor<128x1xf32>
  %no_key_tile = tile.broadcast %no_key : tensor<128x1xi1> -> tensor<128x128xi1>
  %inverse = arith.divf %one_row, %r#2 : tensor<128x1xf32>
  %inverse_tile = tile.broadcast %inverse : tensor<128x1xf32> -> tensor<128x128xf32>
  %quotient = arith.mulf %r#0, %inverse_tile : tensor<128x128xf32>
  %out = arith.select %no_key_tile, %zero_tile, %quotient : tensor<128x128xi1>, tensor<128x128xf32>
  %out16 = arith.truncf %out : tensor<128x128xf32> to tensor<128x128xbf16>
  tile.store %out16, %o[%b, %h, %row0, %c0] sizes [0, 0, 128, 128] : tensor<128x128xbf16>, (!tile.view<[B, H, M, 128], bf16>, i32, i32, i32, i32)
  %log2_den = math.log2 %r#2 : tensor<128x1xf32>
  %log_den = arith.mulf %log2_den, %ln2_row : tensor<128x1xf32>
  %new_lse = arith.addf %r#1, %log_den : tensor<128x1xf32>
  tile.store %new_lse, %lse[%b, %h, %row0] sizes [0, 0, 128] : tensor<128x1xf32>, (!tile.view<[B, H, M], f32>, i32, i32, i32)
  tile.return
}
