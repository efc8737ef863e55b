// The forward kernel of attention as the front end writes it: the text that every lowering of `tile` starts from.
// It is read, verified and printed as it stands; attention-opt.mlir holds what the passes make of it.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s

// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: tile.func @attention_forward
// CHECK: tile.for_blocks %{{.*}} in %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] step 128 limit %{{.*}} init(

tile.hook @score(%s: f32, %b: i32, %h: i32, %i: i32, %j: i32) -> f32 {
  tile.return %s : f32
}

// Causal, aligned at the end: the last query sees the last key.
tile.hook @keep(%b: i32, %h: i32, %i: i32, %j: i32) -> i1 {
  %m = tile.dim "M"
  %n = tile.dim "N"
  %i_n = arith.addi %i, %n : i32
  %last = arith.subi %i_n, %m : i32
  %kept = arith.cmpi sle, %j, %last : i32
  tile.return %kept : i1
}

tile.func @attention_forward(%q: !tile.view<[B, H, M, 128], bf16> {tile.name = "q"},
                             %k: !tile.view<[B, G, N, 128], bf16> {tile.name = "k"},
                             %v: !tile.view<[B, G, N, 128], bf16> {tile.name = "v"},
                             %rows: !tile.blocks<128, 128, [B, H]> {tile.name = "rows"},
                             %o: !tile.view<[B, H, M, 128], bf16> {tile.name = "o", tile.output},
                             %lse: !tile.view<[B, H, M], f32> {tile.name = "lse", tile.output},
                             %scale: f32 {tile.name = "scale", tile.positive})
    attributes {dims = ["B", "H", "M", "G", "N"], grid = ["ceildiv(M, 128)", "H", "B"], constraints = ["H % G == 0"]} {
  %c0 = arith.constant 0 : i32
  %c128 = arith.constant 128 : i32
  %zero_tile = arith.constant dense<0.0> : tensor<128x128xf32>
  %zero_row = arith.constant dense<0.0> : tensor<128x1xf32>
  %minus_inf_row = arith.constant dense<0xFF800000> : tensor<128x1xf32>
  %minus_inf = arith.constant 0xFF800000 : f32

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
    %scale_tile = tile.broadcast %scale : f32 -> tensor<128x128xf32>
    %s0 = arith.mulf %qk, %scale_tile : tensor<128x128xf32>
    %s1 = tile.map %s0 : tensor<128x128xf32> -> tensor<128x128xf32> {
    ^bb0(%x: f32, %i: i32, %j: i32):
      %qpos = arith.addi %row0, %i : i32
      %kpos = tile.position_at %t, %j : !tile.positions<128>
      %y = tile.call_hook @score(%x, %b, %h, %qpos, %kpos) : (f32, i32, i32, i32, i32) -> f32
      tile.yield %y : f32
    }
    %partial = tile.is_partial %t : !tile.positions<128>
    %s = scf.if %partial -> tensor<128x128xf32> {
      %masked = tile.map %s1 : tensor<128x128xf32> -> tensor<128x128xf32> {
      ^bb0(%x: f32, %i: i32, %j: i32):
        %qpos = arith.addi %row0, %i : i32
        %kpos = tile.position_at %t, %j : !tile.positions<128>
        %kept = tile.call_hook @keep(%b, %h, %qpos, %kpos) : (i32, i32, i32, i32) -> i1
        %y = arith.select %kept, %x, %minus_inf : f32
        tile.yield %y : f32
      }
      scf.yield %masked : tensor<128x128xf32>
    } else {
      scf.yield %s1 : tensor<128x128xf32>
    }
    %row_max = tile.reduce max %s axes [1] : tensor<128x128xf32> -> tensor<128x1xf32>
    %nm = arith.maxnumf %mx, %row_max : tensor<128x1xf32>
    %empty = arith.cmpf oeq, %nm, %minus_inf_row : tensor<128x1xf32>
    %c = arith.select %empty, %zero_row, %nm : tensor<128x1xi1>, tensor<128x1xf32>
    %c_tile = tile.broadcast %c : tensor<128x1xf32> -> tensor<128x128xf32>
    %s_c = arith.subf %s, %c_tile : tensor<128x128xf32>
    %p = math.exp %s_c : tensor<128x128xf32>
    %mx_c = arith.subf %mx, %c : tensor<128x1xf32>
    %rescale = math.exp %mx_c : tensor<128x1xf32>
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
  %den_tile = tile.broadcast %r#2 : tensor<128x1xf32> -> tensor<128x128xf32>
  %quotient = arith.divf %r#0, %den_tile : tensor<128x128xf32>
  %out = arith.select %no_key_tile, %zero_tile, %quotient : tensor<128x128xi1>, tensor<128x128xf32>
  %out16 = arith.truncf %out : tensor<128x128xf32> to tensor<128x128xbf16>
  tile.store %out16, %o[%b, %h, %row0, %c0] sizes [0, 0, 128, 128] : tensor<128x128xbf16>, (!tile.view<[B, H, M, 128], bf16>, i32, i32, i32, i32)
  %log_den = math.log %r#2 : tensor<128x1xf32>
  %new_lse = arith.addf %r#1, %log_den : tensor<128x1xf32>
  tile.store %new_lse, %lse[%b, %h, %row0] sizes [0, 0, 128] : tensor<128x1xf32>, (!tile.view<[B, H, M], f32>, i32, i32, i32)
  tile.return
}
