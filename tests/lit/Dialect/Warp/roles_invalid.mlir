// Every refusal of a kernel's roles and of what they take: registers, shared memory, rings without a second side.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @registers() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    // expected-error@+1 {{registers are a multiple of 8 from 24 to 240, got 250}}
    warp.role producer warpgroups 1 registers 250 {
    }
  }
  warp.return
}

// -----

warp.func @uneven_registers() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    // expected-error@+1 {{registers are a multiple of 8 from 24 to 240, got 100}}
    warp.role producer warpgroups 1 registers 100 {
    }
  }
  warp.return
}

// -----

warp.func @producers() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    // expected-error@+1 {{a producer role has 1 to 1 warpgroups, got 2}}
    warp.role producer warpgroups 2 registers 24 {
    }
  }
  warp.return
}

// -----

warp.func @consumers() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    // expected-error@+1 {{a consumer role has 1 to 3 warpgroups, got 4}}
    warp.role consumer warpgroups 4 registers 24 {
    }
  }
  warp.return
}

// -----

warp.func @not_a_role() attributes {dims = [], grid = ["1"]} {
  warp.roles {
    // expected-error@+1 {{is not a warp.role; a warp.roles holds nothing else}}
    warp.fence_async
  }
  warp.return
}

// -----

warp.func @no_consumer() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{needs one producer and one consumer role, got 1 and 0}}
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
  }
  warp.return
}

// -----

warp.func @register_file() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the roles need 95232 registers, 512 threads get 65536 (128 each of a multiprocessor's 65536); lower `registers` or use fewer warpgroups}}
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 3 registers 240 {
    }
  }
  warp.return
}

// -----

// 65536 / 384 = 170 registers a thread, in eights 168: a few hundred of the file are nobody's.
warp.func @register_remainder() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the roles need 65536 registers, 384 threads get 64512 (168 each of a multiprocessor's 65536); lower `registers` or use fewer warpgroups}}
  warp.roles {
    warp.role producer warpgroups 1 registers 32 {
    }
    warp.role consumer warpgroups 2 registers 240 {
    }
  }
  warp.return
}

// -----

warp.func @shared_multiprocessor() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{the roles need 31744 registers, 384 threads get 30720 (80 each of a multiprocessor's 65536, which two thread blocks share); lower `registers` or use fewer warpgroups}}
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 2 registers 112 {
    }
  }
  warp.return
}

// -----

// expected-error@+1 {{needs 360528 bytes of shared memory, a thread block has 232448; use fewer stages or smaller tiles}}
warp.func @shared_memory(%x: !tile.view<[N, 128], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  // expected-note@+1 {{ring 'small': 1 x 128 rows x 256 columns, 65552 bytes}}
  %small = warp.ring_create "small" : !warp.ring<1, 128, 256, bf16>
  // expected-note@+1 {{ring 'large': 4 x 256 rows x 128 columns, 262208 bytes}}
  %large = warp.ring_create "large" : !warp.ring<4, 256, 128, bf16>
  // expected-note@+1 {{shared tile 'o': 128 rows x 80 columns, 32768 bytes}}
  %tile = warp.smem_create "o" : !warp.smem<128, 80, bf16>
  warp.return
}

// -----

warp.func @never_filled() attributes {dims = [], grid = ["1"]} {
  // expected-error@+1 {{'k' is never filled}}
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.return
}

// -----

warp.func @never_waited_for(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  // expected-error@+1 {{'k' is filled but never waited for}}
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @split_twice() attributes {dims = [], grid = ["1"]} {
  // expected-note@+1 {{split here}}
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  // expected-error@+1 {{splits the thread block a second time; a kernel has one warp.roles}}
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}
