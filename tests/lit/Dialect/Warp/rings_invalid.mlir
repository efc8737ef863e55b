// Every refusal of the ops on lists and rings.
// RUN: lacuna-opt %s --verify-diagnostics --split-input-file | FileCheck %s --allow-empty
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

warp.func @runs(%p: !tile.blocks<64, 32, [1, 1]>) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c0 : !tile.blocks<64, 32, [1, 1]> -> !warp.list<32, 128>
  // expected-error@+1 {{a step of this list has 4 runs, got 1 starts}}
  %partial, %exceeds, %start = warp.list_step %l[%c0] : !warp.list<32, 128> -> i32
  warp.return
}

// -----

warp.func @acquire_by_consumer() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    // expected-note@+1 {{it stands in the consumer role}}
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{acquiring a slot belongs to the producer role}}
      %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
    }
  }
  warp.return
}

// -----

warp.func @wait_by_producer() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    // expected-note@+1 {{it stands in the producer role}}
    warp.role producer warpgroups 1 registers 24 {
      // expected-error@+1 {{waiting for a slot belongs to the consumer role}}
      %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
      warp.ring_release %s : !warp.slot<64, 64, bf16>
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// -----

warp.func @acquired_slot() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{a slot of '!warp.ring<1, 64, 64, bf16>' cannot be '!warp.slot<64, 128, bf16>'}}
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 128, bf16>
  warp.return
}

// -----

warp.func @waited_slot() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{a slot of '!warp.ring<1, 64, 64, bf16>' cannot be '!warp.slot<64, 64, f16>'}}
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, f16>
  warp.return
}

// -----

warp.func @never_filled() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{an acquired slot must be filled exactly once}}
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @filled_twice(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{an acquired slot must be filled exactly once}}
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @never_released() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{a slot that was waited for must be released exactly once, found 0 releases}}
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @released_twice() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{a slot that was waited for must be released exactly once, found 2 releases}}
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_release %s : !warp.slot<64, 64, bf16>
  warp.ring_release %s : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @fill_of_a_full_slot(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{fills a slot that was not acquired}}
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.ring_release %s : !warp.slot<64, 64, bf16>
  warp.return
}

// -----

warp.func @fill_by_consumer(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    // expected-note@+1 {{it stands in the consumer role}}
    warp.role consumer warpgroups 1 registers 232 {
      // expected-error@+1 {{filling a slot belongs to the producer role}}
      warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
      }
    }
  }
  warp.return
}

// -----

warp.func @fill_holds_loads_only() attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{is not a warp.tma_load or warp.async_load; a ring_fill holds nothing else}}
    warp.fence_async
  }
  warp.return
}

// -----

warp.func @too_many_bytes(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{expects 8192 bytes, but its boxes bring 4096; the slot would never count as full}}
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 32 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

// A box is whole also where the columns fill it in part: 80 columns are two boxes.
warp.func @too_few_bytes(%x: !tile.view<[N, 80], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 80, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 80, bf16> -> !warp.slot<64, 80, bf16>
  // expected-error@+1 {{expects 10240 bytes, but its boxes bring 16384; the slot would too early count as full}}
  warp.ring_fill %s bytes 10240 : !warp.slot<64, 80, bf16> {
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 80 at 0, 0 : !tile.view<[N, 80], bf16>
  }
  warp.return
}

// -----

warp.func @indices(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{needs one index for each of the view's 2 axes, got 1}}
    warp.tma_load %x[%c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @row_axis(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{the row axis must lie before the view's innermost axis, got 1 of 2}}
    warp.tma_load %x[%c0, %c0] axis 1 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @rank(%x: !tile.view<[N], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{the row axis must lie before the view's innermost axis, got 0 of 1}}
    warp.tma_load %x[%c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N], bf16>
  }
  warp.return
}

// -----

warp.func @box_rows(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{a box has 1 to 256 rows, got 0}}
    warp.tma_load %x[%c0, %c0] axis 0 size 0 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @outer_rows(%x: !tile.view<[H, N, 64], bf16>) attributes {dims = ["H", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{a box takes 1 to 256 positions of the axis before axis 1, got 0}}
    warp.tma_load %x[%c0, %c0, %c0] axis 1 size 16 by 64 outer 0 at 0, 0 : !tile.view<[H, N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @no_outer_axis(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{a box takes 1 to 256 positions of the axis before axis 0, got 4}}
    warp.tma_load %x[%c0, %c0] axis 0 size 16 by 64 outer 4 at 0, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @joined_slot_rows(%x: !tile.view<[H, N, 64], bf16>) attributes {dims = ["H", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{rows 0 to 80 do not lie in the slot's 64 rows, or do not start at a multiple of 8}}
    warp.tma_load %x[%c0, %c0, %c0] axis 1 size 16 by 64 outer 5 at 0, 0 : !tile.view<[H, N, 64], bf16>
  }
  warp.return
}

// -----

// A box counts with all of its rows.
warp.func @joined_bytes(%x: !tile.view<[H, N, 64], bf16>) attributes {dims = ["H", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{expects 2048 bytes, but its boxes bring 8192; the slot would too early count as full}}
  warp.ring_fill %s bytes 2048 : !warp.slot<64, 64, bf16> {
    warp.tma_load %x[%c0, %c0, %c0] axis 1 size 16 by 64 outer 4 at 0, 0 : !tile.view<[H, N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @slot_rows(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{rows 32 to 96 do not lie in the slot's 64 rows, or do not start at a multiple of 8}}
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 32, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

// The swizzle's pattern repeats every eight rows: a box elsewhere would land with another.
warp.func @slot_row_alignment(%x: !tile.view<[N, 64], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 4096 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{rows 4 to 36 do not lie in the slot's 64 rows, or do not start at a multiple of 8}}
    warp.tma_load %x[%c0, %c0] axis 0 size 32 by 64 at 4, 0 : !tile.view<[N, 64], bf16>
  }
  warp.return
}

// -----

warp.func @slot_columns(%x: !tile.view<[N, 128], bf16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 128, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 128, bf16> -> !warp.slot<64, 128, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 128, bf16> {
    // expected-error@+1 {{columns 32 to 96 do not lie in the slot's 128 columns, or do not start at a multiple of 64}}
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 32 : !tile.view<[N, 128], bf16>
  }
  warp.return
}

// -----

warp.func @element(%x: !tile.view<[N, 64], f16>) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
    // expected-error@+1 {{the view's elements are 'f16', the slot's 'bf16'}}
    warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], f16>
  }
  warp.return
}

// -----

warp.func @filled_under_a_condition(%x: !tile.view<[N, 64], bf16>, %p: i1) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{an acquired slot must be filled on every path; fill it in the block that acquires it}}
  %s = warp.ring_acquire %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  scf.if %p {
    // expected-note@+1 {{filled here}}
    warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
      warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
    }
  }
  warp.return
}

// -----

warp.func @released_under_a_condition(%p: i1) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  // expected-error@+1 {{a slot that was waited for must be released on every path; release it in the block that waits for it}}
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  scf.if %p {
    // expected-note@+1 {{released here}}
    warp.ring_release %s : !warp.slot<64, 64, bf16>
  }
  warp.return
}

// -----

warp.func @read_after_release(%p: i1) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-note@+1 {{released here; release it after its last reader}}
  warp.ring_release %s : !warp.slot<64, 64, bf16>
  scf.if %p {
    // expected-error@+1 {{reads a slot that was handed back before}}
    %d = warp.wgmma_ss %s, %s : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #warp.acc>>
  }
  warp.return
}

// -----

warp.func @slot_yielded(%p: i1) attributes {dims = [], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %r = warp.ring_create "k" : !warp.ring<1, 64, 64, bf16>
  %s = warp.ring_wait %r[%c0] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
  // expected-error@+1 {{takes a slot, which only products and one warp.ring_release can}}
  %t = builtin.unrealized_conversion_cast %s : !warp.slot<64, 64, bf16> to !warp.slot<64, 64, bf16>
  warp.ring_release %s : !warp.slot<64, 64, bf16>
  warp.return
}
