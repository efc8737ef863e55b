// Every refusal of a tile in registers that has no layout, or not the one that an op takes.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @no_layout(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x64xf32>' that says not which thread holds what; give it a layout (#warp.acc, #warp.afrag, #warp.row or #warp.col)}}
      %x = arith.constant dense<0.0> : tensor<64x64xf32>
    }
  }
  warp.return
}

// -----

warp.func @acc_rows(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<128x64xf32, #warp.acc>' that must be 64xN with N a multiple of 8 to be #warp.acc}}
      %x = arith.constant dense<0.0> : tensor<128x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @acc_columns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x12xf32, #warp.acc>' that must be 64xN with N a multiple of 8 to be #warp.acc}}
      %x = arith.constant dense<0.0> : tensor<64x12xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @acc_rank(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64xf32, #warp.acc>' that must be 64xN with N a multiple of 8 to be #warp.acc}}
      %x = arith.constant dense<0.0> : tensor<64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @fragment_rows(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<32x64xbf16, #warp.afrag>' that must be 64xK with K a multiple of 16 to be #warp.afrag}}
      %x = arith.constant dense<0.0> : tensor<32x64xbf16, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @fragment_columns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x24xbf16, #warp.afrag>' that must be 64xK with K a multiple of 16 to be #warp.afrag}}
      %x = arith.constant dense<0.0> : tensor<64x24xbf16, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @fragment_element(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x64xf32, #warp.afrag>' that must have bf16 or f16 elements to be #warp.afrag}}
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @row_shape(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x2xf32, #warp.row>' that must be 64x1 to be #warp.row}}
      %x = arith.constant dense<0.0> : tensor<64x2xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @col_shape(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x64xf32, #warp.col>' that must be 1xN with N a multiple of 8 to be #warp.col}}
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.col>
    }
  }
  warp.return
}

// -----

warp.func @col_columns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<1x12xf32, #warp.col>' that must be 1xN with N a multiple of 8 to be #warp.col}}
      %x = arith.constant dense<0.0> : tensor<1x12xf32, #warp.col>
    }
  }
  warp.return
}

// -----

// What a region takes is looked at, too.
warp.func @carried_layout(%t: tensor<64x64xf32>, %p: i1) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{has a tile 'tensor<64x64xf32>' that says not which thread holds what}}
      %r = scf.while (%x = %t) : (tensor<64x64xf32>) -> i32 {
        scf.condition(%p) %c0 : i32
      } do {
      ^bb0(%i: i32):
        scf.yield %t : tensor<64x64xf32>
      }
    }
  }
  warp.return
}

// -----

warp.func @layouts_mixed(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xf16, #warp.afrag>
      %i = arith.constant dense<2> : tensor<64x64xi32, #warp.acc>
      // expected-error@+1 {{is computed element by element, but mixes 'tensor<64x64xf16, #warp.afrag>' and 'tensor<64x64xi32, #warp.acc>'; bring them to one layout first (warp.broadcast)}}
      %y = math.fpowi %x, %i : tensor<64x64xf16, #warp.afrag>, tensor<64x64xi32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_acc(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
      // expected-error@+1 {{repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or columns, got 'tensor<64x64xf32, #warp.acc>' and 'tensor<64x64xf32, #warp.afrag>'}}
      %y = warp.broadcast %x : tensor<64x64xf32, #warp.acc> -> tensor<64x64xf32, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_narrow(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
      // expected-error@+1 {{repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or columns, got 'tensor<64x64xf32, #warp.acc>' and 'tensor<64x1xf32, #warp.row>'}}
      %y = warp.broadcast %x : tensor<64x64xf32, #warp.acc> -> tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_columns(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<1x32xf32, #warp.col>
      // expected-error@+1 {{repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or columns, got 'tensor<1x32xf32, #warp.col>' and 'tensor<64x64xf32, #warp.acc>'}}
      %y = warp.broadcast %x : tensor<1x32xf32, #warp.col> -> tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_to_col(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x1xf32, #warp.row>
      // expected-error@+1 {{repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or columns, got 'tensor<64x1xf32, #warp.row>' and 'tensor<1x64xf32, #warp.col>'}}
      %y = warp.broadcast %x : tensor<64x1xf32, #warp.row> -> tensor<1x64xf32, #warp.col>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_fragment(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant 0.0 : bf16
      // expected-error@+1 {{repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or columns, got 'bf16' and 'tensor<64x64xbf16, #warp.afrag>'}}
      %y = warp.broadcast %x : bf16 -> tensor<64x64xbf16, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @broadcast_element(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant 0.0 : f32
      // expected-error@+1 {{repeats 'f32', the result holds 'bf16'}}
      %y = warp.broadcast %x : f32 -> tensor<64x64xbf16, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @reduced_element(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
      // expected-error@+1 {{reduces to as many rows of the same type, got 'tensor<64x64xf32, #warp.acc>' and 'tensor<64x1xbf16, #warp.row>'}}
      %y = warp.row_reduce add %x : tensor<64x64xf32, #warp.acc> -> tensor<64x1xbf16, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @quad(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xf32, #warp.acc>
      // expected-error@+1 {{combines the lanes that share a row: it takes a #warp.row vector, got 'tensor<64x64xf32, #warp.acc>'}}
      %y = warp.quad_reduce add %x : tensor<64x64xf32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @block_layout(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0.0> : tensor<64x64xbf16, #warp.afrag>
      // expected-error@+1 {{reduces f32 values in a #warp.acc, #warp.row or #warp.col tile, got 'tensor<64x64xbf16, #warp.afrag>'}}
      %y = warp.block_reduce add %x barrier 1 : tensor<64x64xbf16, #warp.afrag>
    }
  }
  warp.return
}

// -----

warp.func @block_element(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<0> : tensor<64x64xi32, #warp.acc>
      // expected-error@+1 {{reduces f32 values in a #warp.acc, #warp.row or #warp.col tile, got 'tensor<64x64xi32, #warp.acc>'}}
      %y = warp.block_reduce add %x barrier 1 : tensor<64x64xi32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @iota_layout(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{numbers rows or columns: a #warp.row or #warp.col vector of i32, got 'tensor<64x64xi32, #warp.acc>'}}
      %x = warp.iota : tensor<64x64xi32, #warp.acc>
    }
  }
  warp.return
}

// -----

warp.func @iota_element(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{numbers rows or columns: a #warp.row or #warp.col vector of i32, got 'tensor<64x1xf32, #warp.row>'}}
      %x = warp.iota : tensor<64x1xf32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @positions_layout(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{gives one position a column: a #warp.col vector of i32, got 'tensor<64x1xi32, #warp.row>'}}
      %x = warp.positions %c0 : tensor<64x1xi32, #warp.row>
    }
  }
  warp.return
}

// -----

warp.func @positions_runs(%n: i32) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{cuts its columns into runs of a multiple of 8, got 3 starts for 64 columns}}
      %x = warp.positions %c0, %c0, %c0 : tensor<1x64xi32, #warp.col>
    }
  }
  warp.return
}

// -----

warp.func @scale_by_columns(%n: i32) attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<1.0> : tensor<64x64xf32, #warp.acc>
      %f = arith.constant dense<1.0> : tensor<1x64xf32, #warp.col>
      // expected-error@+1 {{multiplies an f32 #warp.acc tile by an f32 #warp.row vector, got 'tensor<64x64xf32, #warp.acc>' and 'tensor<1x64xf32, #warp.col>'}}
      %y = warp.scale_rows %x by %f : tensor<64x64xf32, #warp.acc>, tensor<1x64xf32, #warp.col>
    }
  }
  warp.return
}

// -----

warp.func @scale_halves(%n: i32) attributes {dims = [], grid = ["1"]} {
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %x = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %f = arith.constant dense<1.0> : tensor<64x1xbf16, #warp.row>
      // expected-error@+1 {{multiplies an f32 #warp.acc tile by an f32 #warp.row vector, got 'tensor<64x64xbf16, #warp.acc>' and 'tensor<64x1xbf16, #warp.row>'}}
      %y = warp.scale_rows %x by %f : tensor<64x64xbf16, #warp.acc>, tensor<64x1xbf16, #warp.row>
    }
  }
  warp.return
}
