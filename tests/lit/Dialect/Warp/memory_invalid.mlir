// What the verifiers of warp.list_open, warp.load_global and warp.store_global refuse.
// RUN: lacuna-opt %s -split-input-file -verify-diagnostics | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @indices(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{needs one index and one size for each of the view's 2 axes, got 1 indices and 2 sizes}}
      %t = warp.load_global %x[%c0] sizes [64, 64] : !tile.view<[M, N], f32> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @sizes(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{needs one index and one size for each of the view's 1 axes, got 1 indices and 2 sizes}}
      %t = warp.load_global %v[%c0] sizes [64, 64] : !tile.view<[N], f32> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @elements(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{the view's elements are 'f32', the value's 'bf16'}}
      %t = warp.load_global %x[%c0, %c0] sizes [64, 64] : !tile.view<[M, N], f32> -> tensor<64x64xbf16, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @columns(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses sizes [64, 32] of the view, which do not make 'tensor<64x64xf32, #warp.acc>' for each warpgroup: the rows are a multiple of 64 up to 192 (1 for #warp.col), the columns are the value's}}
      %t = warp.load_global %x[%c0, %c0] sizes [64, 32] : !tile.view<[M, N], f32> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @rows(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses sizes [48, 64] of the view, which do not make 'tensor<64x64xf32, #warp.acc>' for each warpgroup: the rows are a multiple of 64 up to 192 (1 for #warp.col), the columns are the value's}}
      %t = warp.load_global %x[%c0, %c0] sizes [48, 64] : !tile.view<[M, N], f32> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @column_vector(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses sizes [0, 32] of the view, which do not make 'tensor<1x64xf32, #warp.col>' for each warpgroup: the rows are a multiple of 64 up to 192 (1 for #warp.col), the columns are the value's}}
      %t = warp.load_global %x[%c0, %c0] sizes [0, 32] : !tile.view<[M, N], f32> -> tensor<1x64xf32, #warp.col>
    }
  }
  warp.return
}

// -----

warp.func @apart(%x: !tile.view<[H, B, M], f32>) attributes {dims = ["H", "B", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{one axis of the view or two neighbouring ones make the rows, got sizes [4, 0, 16]}}
      %t = warp.load_global %x[%c0, %c0, %c0] sizes [4, 0, 16] : !tile.view<[H, B, M], f32> -> tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @joined_rows(%x: !tile.view<[H, M, N], f32>) attributes {dims = ["H", "M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses sizes [3, 16, 64] of the view, which do not make 'tensor<64x64xf32, #warp.acc>' for each warpgroup: the rows are a multiple of 64 up to 192 (1 for #warp.col), the columns are the value's}}
      %t = warp.load_global %x[%c0, %c0, %c0] sizes [3, 16, 64] : !tile.view<[H, M, N], f32> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @no_tile(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses 0 axes of the view, but the value is 'tensor<64x1xf32, #warp.row>'}}
      %t = warp.load_global %x[%c0, %c0] sizes [0, 0] : !tile.view<[M, N], f32> -> tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @stored_scalar(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32> {tile.output}, %s: f32) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      // expected-error@+1 {{accesses 1 axes of the view, but the value is 'f32'}}
      warp.store_global %s, %v[%c0] sizes [64] : f32, !tile.view<[N], f32>
    }
  }
  warp.return
}

// -----

warp.func @stored_rows(%x: !tile.view<[M, N], f32>, %v: !tile.view<[N], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 240 {
      %i = warp.iota : tensor<64x1xi32, #warp.row>
      %t = arith.sitofp %i : tensor<64x1xi32, #warp.row> to tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{accesses sizes [64, 64] of the view, which do not make 'tensor<64x1xf32, #warp.row>' for each warpgroup: the rows are a multiple of 64 up to 192 (1 for #warp.col), the columns are the value's}}
      warp.store_global %t, %x[%c0, %c0] sizes [64, 64] : tensor<64x1xf32, #warp.row>, !tile.view<[M, N], f32>
    }
  }
  warp.return
}

// -----

warp.func @other_blocks(%rows: !tile.blocks<64, 128, [1, 1]>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{opens a list of blocks of 128 keys as '!warp.list<64, 64>'}}
  %l = warp.list_open %rows[%c0, %c0, %c0] limit %c0 : <64, 128, [1, 1]> -> <64, 64>
  warp.return
}

// -----

warp.func @odd_step(%rows: !tile.blocks<64, 128, [1, 1]>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{blocks of 128 keys cannot be run in steps of 40: both are multiples of 16, and one of the two divides the other}}
  %l = warp.list_open %rows[%c0, %c0, %c0] limit %c0 : <64, 128, [1, 1]> -> <128, 40>
  warp.return
}

// -----

warp.func @no_divisor(%rows: !tile.blocks<64, 128, [1, 1]>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{blocks of 128 keys cannot be run in steps of 48: both are multiples of 16, and one of the two divides the other}}
  %l = warp.list_open %rows[%c0, %c0, %c0] limit %c0 : <64, 128, [1, 1]> -> <128, 48>
  warp.return
}

// -----

warp.func @no_step(%rows: !tile.blocks<64, 128, [1, 1]>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{blocks of 128 keys cannot be run in steps of 0: both are multiples of 16, and one of the two divides the other}}
  %l = warp.list_open %rows[%c0, %c0, %c0] limit %c0 : <64, 128, [1, 1]> -> <128, 0>
  warp.return
}

// -----

warp.func @bands_step() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{blocks of 128 keys cannot be run in steps of 48: both are multiples of 16, and one of the two divides the other}}
  %l = warp.list_bands (%c0 to %c0 all %c0 to %c0) limit %c0 : !warp.list<128, 48>
  warp.return
}

// -----

warp.func @bands_block() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{blocks of 8 keys cannot be run in steps of 16: both are multiples of 16, and one of the two divides the other}}
  %l = warp.list_bands (%c0 to %c0 all %c0 to %c0) limit %c0 : !warp.list<8, 16>
  warp.return
}

// -----

warp.func @no_bands() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{takes one to 4 bands of 4 bounds each, got 0 bounds}}
  %l = "warp.list_bands"(%c0) : (i32) -> !warp.list<64, 64>
  warp.return
}
