// What a kernel's machine does not have.
// RUN: lacuna-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{is for the machine "sm_70", but there are only "sm_90a", "sm_80"}}
warp.func @unknown() attributes {dims = [], grid = ["1"], warp.target = "sm_70"} {
  warp.return
}

// -----

warp.func @copies(%k: !tile.view<[M, 64], bf16>, %row: i32) attributes {dims = ["M"], grid = ["1"], warp.target = "sm_80"} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 168 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        // expected-error@+1 {{is not for sm_80, which has no copy engine; its producer copies with warp.async_load}}
        warp.tma_load %k[%row, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 168 {
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @threads(%k: !tile.view<[M, 64], bf16>, %row: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        // expected-error@+1 {{is not for sm_90a, which has a copy engine, and one thread of its producer copies; use warp.tma_load}}
        warp.async_load %k[%row, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 168 {
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @groups() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  warp.roles {
    warp.role producer warpgroups 1 registers 168 {
    }
    warp.role consumer warpgroups 1 registers 168 {
      // expected-error@+1 {{is not for sm_80, which has no products that run by themselves; multiply with warp.mma_sync}}
      %g = warp.wgmma_commit
    }
  }
  warp.return
}

// -----

warp.func @stores() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{is not for sm_80, which has no copy engine; store from registers with warp.store_global}}
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.return
}

// -----

warp.func @stays() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{is not for sm_80, which runs one program in each thread block}}
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 168 {
      }
      warp.role consumer warpgroups 1 registers 168 {
      }
    }
    warp.next_tile
  }
  warp.return
}

// -----

warp.func @uneven() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{gives its roles different registers, but on sm_80 all threads keep what they start with; give both roles the same}}
  warp.roles {
    warp.role producer warpgroups 1 registers 40 {
    }
    warp.role consumer warpgroups 2 registers 168 {
    }
  }
  warp.return
}

// -----

warp.func @registers() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{the roles need 50688 registers, 288 threads get 48384 (168 each of a multiprocessor's 65536); lower `registers` or use fewer warpgroups}}
  warp.roles {
    warp.role producer warpgroups 1 registers 176 {
    }
    warp.role consumer warpgroups 2 registers 176 {
    }
  }
  warp.return
}

// -----

// expected-error@+1 {{needs 196656 bytes of shared memory, a thread block has 166912; use fewer stages or smaller tiles}}
warp.func @shared() attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-note@+1 {{ring 'k': 3 x 256 rows x 128 columns, 196656 bytes}}
  %r = warp.ring_create "k" : !warp.ring<3, 256, 128, bf16>
  warp.return
}

// -----

warp.func @block(%k: !tile.view<[M, 64], bf16>, %row: i32) attributes {dims = ["M"], grid = ["1"], warp.target = "sm_80"} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 168 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 1024 : !warp.slot<64, 64, bf16> {
        // expected-error@+1 {{is made 16 rows at a time, got 8 rows}}
        warp.async_load %k[%row, %c0] axis 0 size 8 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 168 {
    }
  }
  warp.return
}

// -----

warp.func @transposed(%s: !warp.slot<64, 64, bf16>, %p: tensor<64x64xbf16, #warp.afrag>) attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{takes A from registers, which hold it by rows; trans_a goes with a slot}}
  %o = warp.mma_sync %p trans_a, %s : tensor<64x64xbf16, #warp.afrag>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
  warp.return
}

// -----

warp.func @unpacked(%s: !warp.slot<64, 64, bf16>, %p: tensor<64x64xbf16, #warp.acc>) attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{A must be a #warp.afrag tile (warp.pack_afrag), got 'tensor<64x64xbf16, #warp.acc>'}}
  %o = warp.mma_sync %p, %s : tensor<64x64xbf16, #warp.acc>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
  warp.return
}

// -----

warp.func @terms(%a: !warp.slot<64, 64, bf16>, %b: !warp.slot<64, 80, bf16>) attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{A has 64 values of k, B has 80}}
  %o = warp.mma_sync %a, %b trans_b : !warp.slot<64, 64, bf16>, !warp.slot<64, 80, bf16> -> tensor<64x64xf32, #warp.acc>
  warp.return
}

// -----

warp.func @sums(%a: !warp.slot<64, 64, bf16>, %acc: tensor<64x80xf32, #warp.acc>) attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{the accumulator must be 'tensor<64x64xf32, #warp.acc>', got 'tensor<64x80xf32, #warp.acc>'}}
  %o = warp.mma_sync %a, %a acc %acc : tensor<64x80xf32, #warp.acc> : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
  warp.return
}

// -----

warp.func @rows(%a: !warp.slot<48, 64, bf16>, %b: !warp.slot<64, 64, bf16>) attributes {dims = [], grid = ["1"], warp.target = "sm_80"} {
  // expected-error@+1 {{A's rows must be a multiple of 64, got 48}}
  %o = warp.mma_sync %a, %b trans_b : !warp.slot<48, 64, bf16>, !warp.slot<64, 64, bf16> -> tensor<64x64xf32, #warp.acc>
  warp.return
}
