// What the verifiers refuse of shared tiles that consumers write: shapes, places, and every order of write, fence, barrier,
// copy and wait that reads or overwrites too early.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @no_fence(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      // expected-note@+1 {{written here; add a warp.fence_async after it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.warpgroup_sync
      // expected-error@+1 {{reads asynchronously what threads wrote without a proxy fence}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @fence_before_the_write(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.fence_async
      // expected-note@+1 {{written here; add a warp.fence_async after it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.warpgroup_sync
      // expected-error@+1 {{reads asynchronously what threads wrote without a proxy fence}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @no_barrier(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      // expected-note@+1 {{written here; add a warp.warpgroup_sync after the warp.fence_async}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      // expected-error@+1 {{is issued before all threads of the warpgroup have written and fenced}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @barrier_before_the_fence(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      // expected-note@+1 {{written here; add a warp.warpgroup_sync after the warp.fence_async}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.warpgroup_sync
      warp.fence_async
      // expected-error@+1 {{is issued before all threads of the warpgroup have written and fenced}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @written_again_after_the_fence(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{written here; add a warp.fence_async after it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      // expected-error@+1 {{reads asynchronously what threads wrote without a proxy fence}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @fence_on_one_side(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %some = arith.cmpi slt, %n, %c1 : i32
      // expected-note@+1 {{written here; add a warp.fence_async after it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      scf.if %some {
        warp.fence_async
      }
      warp.warpgroup_sync
      // expected-error@+1 {{reads asynchronously what threads wrote without a proxy fence}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @never_written(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{reads a shared tile that may not have been written (warp.store_shared)}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @written_on_one_side(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %some = arith.cmpi slt, %n, %c1 : i32
      scf.if %some {
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
        warp.fence_async
      } else {
      }
      warp.warpgroup_sync
      // expected-error@+1 {{reads a shared tile that may not have been written (warp.store_shared)}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @no_wait(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{copied here; wait for it first (warp.tma_store_wait)}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      // expected-error@+1 {{writes a shared tile that a copy may still be reading}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @no_barrier_behind_the_wait(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{only the thread that issued this copy has waited; add a warp.warpgroup_sync before the write}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      warp.tma_store_wait
      // expected-error@+1 {{writes a shared tile before all threads know that its copy has read it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @barrier_before_the_wait(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{only the thread that issued this copy has waited; add a warp.warpgroup_sync before the write}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      warp.warpgroup_sync
      warp.tma_store_wait
      // expected-error@+1 {{writes a shared tile before all threads know that its copy has read it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @no_wait_in_a_loop(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      scf.for %i = %c0 to %n step %c1 : i32 {
        // expected-error@+1 {{writes a shared tile that a copy may still be reading}}
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
        warp.fence_async
        warp.warpgroup_sync
        // expected-note@+1 {{copied here; wait for it first (warp.tma_store_wait)}}
        warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      }
    }
  }
  warp.return
}

// -----

warp.func @no_wait_between_programs(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 {
        %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
        // expected-error@+1 {{writes a shared tile that a copy may still be reading}}
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
        warp.fence_async
        warp.warpgroup_sync
        // expected-note@+1 {{copied here; wait for it first (warp.tma_store_wait)}}
        warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      }
    }
  }
  warp.return
}

// -----

warp.func @wait_on_one_side(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{copied here; wait for it first (warp.tma_store_wait)}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      %some = arith.cmpi slt, %n, %c1 : i32
      scf.if %some {
        warp.tma_store_wait
      }
      warp.warpgroup_sync
      // expected-error@+1 {{writes a shared tile that a copy may still be reading}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @value(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xf32, #warp.acc>
      // expected-error@+1 {{writes a #warp.acc tile of 64 columns of 'bf16' to '!warp.smem<64, 64, bf16>', got 'tensor<64x64xf32, #warp.acc>'}}
      warp.store_shared %v, %t : tensor<64x64xf32, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @rows(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 240 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      // expected-error@+1 {{uses a shared tile of 64 rows, but the role's 2 warpgroups own 128, 64 each}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @copied_by_the_producer(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{belongs to the consumer role, whose warpgroups own the rows of a shared tile}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
    warp.role consumer warpgroups 1 registers 232 {
      
    }
  }
  warp.return
}

// -----

warp.func @waited_for_by_the_producer(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{waits for copies of the consumer role, and stands outside it}}
      warp.tma_store_wait
    }
    warp.role consumer warpgroups 1 registers 232 {
      
    }
  }
  warp.return
}

// -----

warp.func @barrier_of_the_producer(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      // expected-note@-1 {{it stands in the producer role}}
      // expected-error@+1 {{a barrier of one warpgroup belongs to the consumer role}}
      warp.warpgroup_sync
    }
    warp.role consumer warpgroups 1 registers 232 {
      
    }
  }
  warp.return
}

// -----

warp.func @indices(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-error@+1 {{needs one index for each of the view's 2 axes, got 1}}
      warp.tma_store %t, %o[%c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @row_axis(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-error@+1 {{copies to a view of 2 to 5 axes, with rows along one before the innermost; got row axis 1 of 2}}
      warp.tma_store %t, %o[%c0, %c0] axis 1 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @elements(%o: !tile.view<[M, 64], f16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-error@+1 {{the view's elements are 'f16', the shared tile's 'bf16'}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], f16>
    }
  }
  warp.return
}

// -----

warp.func @part_of_a_chunk(%o: !tile.view<[M, 128], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 80, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x80xbf16, #warp.acc>
      warp.store_shared %v, %t : tensor<64x80xbf16, #warp.acc>, !warp.smem<64, 80, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-error@+1 {{would write whole chunks of 64 columns: a tile of 80 must reach the known end of the view's innermost axis}}
      warp.tma_store %t, %o[%c0, %c0] axis 0 : !warp.smem<64, 80, bf16>, !tile.view<[M, 128], bf16>
    }
  }
  warp.return
}

// -----

warp.func @barrier_taken(%o: !tile.view<[M, 64], bf16> {tile.output}, %n: i32) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      // expected-note@+1 {{used here}}
      warp.warpgroup_sync
      // expected-error@+1 {{needs barrier 8 for named barrier ops, but it serves a warpgroup's own threads already; take another}}
      warp.named_barrier_sync 8 threads 128
    }
  }
  warp.return
}

// -----

warp.func @other_user() attributes {dims = [], grid = ["1"]} {
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  // expected-error@+1 {{takes the shared tile 'o', which only warp.store_shared, warp.tma_store and warp.wgmma_ss can}}
  %u = builtin.unrealized_conversion_cast %t : !warp.smem<64, 64, bf16> to i32
  warp.return
}

// -----

warp.func @operand_without_fence(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      // expected-note@+1 {{written here; add a warp.fence_async after it}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.warpgroup_sync
      // expected-error@+1 {{reads asynchronously what threads wrote without a proxy fence}}
      %a = warp.wgmma_ss %t, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @operand_without_barrier(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      // expected-note@+1 {{written here; add a warp.warpgroup_sync after the warp.fence_async}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      // expected-error@+1 {{is issued before all threads of the warpgroup have written and fenced}}
      %a = warp.wgmma_ss %t, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @operand_never_written(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      // expected-error@+1 {{reads a shared tile that may not have been written (warp.store_shared)}}
      %a = warp.wgmma_ss %t, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @operand_overwritten(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-note@+1 {{read by this product; wait for it first (warp.wgmma_wait)}}
      %a = warp.wgmma_ss %t, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      // expected-error@+1 {{writes a shared tile that a product in flight may be reading}}
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @operand_transposed(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "r" : !warp.ring<1, 64, 64, bf16>
  %t = warp.smem_create "p" : !warp.smem<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      warp.fence_async
      warp.warpgroup_sync
      // expected-error@+1 {{reads a shared tile that consumers wrote row by row, which trans_a does not fit}}
      %a = warp.wgmma_ss %t trans_a, %s : !warp.smem<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
      %g = warp.wgmma_commit
      %d = warp.wgmma_wait %g, %a : !warp.inflight<tensor<64x64xf32, #warp.acc>> -> tensor<64x64xf32, #warp.acc>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

// What follows the last program, which may have left a copy running.
warp.func @leave_writes(%o: !tile.view<[M, 64], bf16> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c0 : i32
      } each(%n: i32) {
        %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
        warp.tma_store_wait
        warp.warpgroup_sync
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
        warp.fence_async
        warp.warpgroup_sync
        // expected-note@+1 {{copied here; wait for it first (warp.tma_store_wait)}}
        warp.tma_store %t, %o[%x, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
        warp.role_yield %x : i32
      } leave(%n: i32) {
        %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
        // expected-error@+1 {{writes a shared tile that a copy may still be reading}}
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
      }
    }
  }
  warp.return
}

// -----

// There may have been no program, whose write this would be.
warp.func @leave_copies(%o: !tile.view<[M, 64], bf16> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = warp.smem_create "o" : !warp.smem<64, 64, bf16>
  warp.for_tiles(%x, %y, %z) {
    warp.roles {
      warp.role producer warpgroups 1 registers 24 {
      }
      warp.role consumer warpgroups 1 registers 232 enter {
        warp.role_yield %c0 : i32
      } each(%n: i32) {
        %v = arith.constant dense<1.0> : tensor<64x64xbf16, #warp.acc>
        warp.store_shared %v, %t : tensor<64x64xbf16, #warp.acc>, !warp.smem<64, 64, bf16>
        warp.fence_async
        warp.warpgroup_sync
        warp.role_yield %x : i32
      } leave(%n: i32) {
        // expected-error@+1 {{reads a shared tile that may not have been written (warp.store_shared)}}
        warp.tma_store %t, %o[%n, %c0] axis 0 : !warp.smem<64, 64, bf16>, !tile.view<[M, 64], bf16>
      }
    }
  }
  warp.return
}
