// Loops that cannot be overlapped stay as they are, and the function says why.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

#acc = #warp.acc
#row = #warp.row

// CHECK-LABEL: warp.func @registers
// CHECK-SAME: warp.decisions = ["overlap: not done, it needs 128 registers a thread for products and their operands, and 80 are free"]
// CHECK: warp.role consumer
// CHECK-NOT: scf.if
// CHECK: scf.yield
warp.func @registers(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %x = tile.program_id 0
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  %list = warp.list_open %rows[%c0, %c0, %x] limit %n : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %qs = warp.ring_acquire %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
        warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
      %count = warp.list_count %list : !warp.list<128, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
        %ks = warp.ring_acquire %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
        %vs = warp.ring_acquire %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 2 registers 104 {
      %qs = warp.ring_wait %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      %count = warp.list_count %list : !warp.list<128, 128>
      %acc = scf.for %i = %c0 to %count step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %ks = warp.ring_wait %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %s = warp.wgmma_ss %qs, %ks trans_b {warp.overlap} : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
        warp.ring_release %ks : !warp.slot<128, 64, bf16>
        %e = math.exp2 %t : tensor<64x128xf32, #acc>
        %part = warp.row_reduce max %e : tensor<64x128xf32, #acc> -> tensor<64x1xf32, #row>
        %r = warp.quad_reduce max %part : tensor<64x1xf32, #row>
        %factor = warp.broadcast %r : tensor<64x1xf32, #row> -> tensor<64x64xf32, #acc>
        %scaled = arith.mulf %o, %factor : tensor<64x64xf32, #acc>
        %p = arith.truncf %e : tensor<64x128xf32, #acc> to tensor<64x128xbf16, #acc>
        %vs = warp.ring_wait %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
        %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %h = warp.wgmma_commit
        %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %vs : !warp.slot<128, 64, bf16>
        scf.yield %next : tensor<64x64xf32, #acc>
      }
      warp.ring_release %qs : !warp.slot<128, 64, bf16>
    }
  }
  warp.return
}

// CHECK-LABEL: warp.func @one_slot
// CHECK-SAME: warp.decisions = ["overlap: not done, a product before the trailing one reads the same slot"]
// CHECK: warp.role consumer
// CHECK-NOT: scf.if
// CHECK: scf.yield
warp.func @one_slot(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %x = tile.program_id 0
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %list = warp.list_open %rows[%c0, %c0, %x] limit %n : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %qs = warp.ring_acquire %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
        warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
      %count = warp.list_count %list : !warp.list<128, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
        %ks = warp.ring_acquire %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %qs = warp.ring_wait %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      %count = warp.list_count %list : !warp.list<128, 128>
      %acc = scf.for %i = %c0 to %count step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %ks = warp.ring_wait %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %s = warp.wgmma_ss %qs, %ks trans_b {warp.overlap} : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
        %e = math.exp2 %t : tensor<64x128xf32, #acc>
        %part = warp.row_reduce max %e : tensor<64x128xf32, #acc> -> tensor<64x1xf32, #row>
        %r = warp.quad_reduce max %part : tensor<64x1xf32, #row>
        %factor = warp.broadcast %r : tensor<64x1xf32, #row> -> tensor<64x64xf32, #acc>
        %scaled = arith.mulf %o, %factor : tensor<64x64xf32, #acc>
        %p = arith.truncf %e : tensor<64x128xf32, #acc> to tensor<64x128xbf16, #acc>
        %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
        %u = warp.wgmma_rs %a, %ks acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %h = warp.wgmma_commit
        %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %ks : !warp.slot<128, 64, bf16>
        scf.yield %next : tensor<64x64xf32, #acc>
      }
      warp.ring_release %qs : !warp.slot<128, 64, bf16>
    }
  }
  warp.return
}

// CHECK-LABEL: warp.func @needs_result
// CHECK-SAME: warp.decisions = ["overlap: not done, it needs what the products of the iteration before gave"]
// CHECK: warp.role consumer
// CHECK-NOT: scf.if
// CHECK: scf.yield
warp.func @needs_result(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %x = tile.program_id 0
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  %list = warp.list_open %rows[%c0, %c0, %x] limit %n : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %qs = warp.ring_acquire %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
        warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
      }
      %count = warp.list_count %list : !warp.list<128, 128>
      scf.for %i = %c0 to %count step %c1 : i32 {
        %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
        %ks = warp.ring_acquire %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
        %vs = warp.ring_acquire %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 2 registers 240 {
      %qs = warp.ring_wait %qr[%c0] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
      %count = warp.list_count %list : !warp.list<128, 128>
      %acc = scf.for %i = %c0 to %count step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %ks = warp.ring_wait %kr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %sum = warp.row_reduce add %o : tensor<64x64xf32, #acc> -> tensor<64x1xf32, #row>
        %z = warp.broadcast %sum : tensor<64x1xf32, #row> -> tensor<64x128xf32, #acc>
        %s = warp.wgmma_ss %qs, %ks trans_b acc %z : tensor<64x128xf32, #acc> {warp.overlap} : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
        warp.ring_release %ks : !warp.slot<128, 64, bf16>
        %e = math.exp2 %t : tensor<64x128xf32, #acc>
        %part = warp.row_reduce max %e : tensor<64x128xf32, #acc> -> tensor<64x1xf32, #row>
        %r = warp.quad_reduce max %part : tensor<64x1xf32, #row>
        %factor = warp.broadcast %r : tensor<64x1xf32, #row> -> tensor<64x64xf32, #acc>
        %scaled = arith.mulf %o, %factor : tensor<64x64xf32, #acc>
        %p = arith.truncf %e : tensor<64x128xf32, #acc> to tensor<64x128xbf16, #acc>
        %vs = warp.ring_wait %vr[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
        %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %h = warp.wgmma_commit
        %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %vs : !warp.slot<128, 64, bf16>
        scf.yield %next : tensor<64x64xf32, #acc>
      }
      warp.ring_release %qs : !warp.slot<128, 64, bf16>
    }
  }
  warp.return
}

// CHECK-LABEL: warp.func @alone
// CHECK-SAME: warp.decisions = ["overlap: not done, no product of the loop uses its result"]
// CHECK: warp.role consumer
// CHECK-NOT: scf.if
// CHECK: scf.yield
warp.func @alone(%a: !tile.view<[M, 64], bf16>, %b: !tile.view<[N, 64], bf16>, %n: i32) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 64)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %ar = warp.ring_create "a" : !warp.ring<2, 64, 64, bf16>
  %br = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %as = warp.ring_acquire %ar[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %as bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %a[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %bs = warp.ring_acquire %br[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %bs bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 240 {
      %acc = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
        %as = warp.ring_wait %ar[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %bs = warp.ring_wait %br[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %s = warp.wgmma_ss %as, %bs acc %o : tensor<64x64xf32, #acc> {warp.overlap} : !warp.slot<64, 64, bf16>, !warp.slot<64, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
        %g = warp.wgmma_commit
        %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
        warp.ring_release %as : !warp.slot<64, 64, bf16>
        warp.ring_release %bs : !warp.slot<64, 64, bf16>
        scf.yield %t : tensor<64x64xf32, #acc>
      }
    }
  }
  warp.return
}
