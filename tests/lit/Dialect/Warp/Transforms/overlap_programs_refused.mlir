// Programs that stay apart, and the reason that the function gives.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-overlap-dots,warp-overlap-programs))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

#acc = #warp.acc
#row = #warp.row

// CHECK-LABEL: warp.func @forbidden
// CHECK-SAME: "programs: each ends before the next begins, as the schedule says"
// CHECK-NOT: warp.role_yield
warp.func @forbidden(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"], warp.separate_programs} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @may_be_empty
// CHECK-SAME: "programs: each ends before the next begins; a program may be without any step, or has several loops"
// CHECK-NOT: warp.role_yield
warp.func @may_be_empty(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @unmarked
// CHECK-SAME: "programs: each ends before the next begins; its steps do not overlap"
// CHECK-NOT: warp.role_yield
warp.func @unmarked(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %s = warp.wgmma_ss %qs, %ks trans_b : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
          %g = warp.wgmma_commit
          %t = warp.wgmma_wait %g, %s : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
          warp.ring_release %ks : !warp.slot<128, 64, bf16>
          %e = math.exp2 %t : tensor<64x128xf32, #acc>
          %part = warp.row_reduce max %e : tensor<64x128xf32, #acc> -> tensor<64x1xf32, #row>
          %r = warp.quad_reduce max %part : tensor<64x1xf32, #row>
          %factor = warp.broadcast %r : tensor<64x1xf32, #row> -> tensor<64x64xf32, #acc>
          %scaled = arith.mulf %o, %factor : tensor<64x64xf32, #acc>
          %p = arith.truncf %e : tensor<64x128xf32, #acc> to tensor<64x128xbf16, #acc>
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @stores_before
// CHECK-SAME: "programs: each ends before the next begins; there are other products or stores beside the halves of its first and last steps"
// CHECK-NOT: warp.role_yield
warp.func @stores_before(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        %again = warp.wgmma_ss %qs, %qs trans_b : !warp.slot<128, 64, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>
        %ag = warp.wgmma_commit
        %at = warp.wgmma_wait %ag, %again : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @loaded_late
// CHECK-SAME: "programs: each ends before the next begins; the producer may need the slot of the last step before it has filled the first ones"
// CHECK-NOT: warp.role_yield
warp.func @loaded_late(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @keeps_a_list
// CHECK-SAME: "programs: each ends before the next begins; its end needs a value that cannot be kept in registers"
// CHECK-NOT: warp.role_yield
warp.func @keeps_a_list(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          %a = warp.pack_afrag %p : tensor<64x128xbf16, #acc> -> tensor<64x128xbf16, #warp.afrag>
          %u = warp.wgmma_rs %a, %vs acc %scaled : tensor<64x64xf32, #acc> : tensor<64x128xbf16, #warp.afrag>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        %some = arith.cmpi sgt, %count, %c1 : i32
        scf.if %some {
          %masked = warp.list_masked %list : !warp.list<128, 128>
          %f = arith.sitofp %masked : i32 to f32
          %tile = warp.broadcast %f : f32 -> tensor<64x64xf32, #acc>
          %sum = arith.addf %acc#1, %tile : tensor<64x64xf32, #acc>
          warp.store_global %sum, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
        }
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}


// CHECK-LABEL: warp.func @shared_operand
// CHECK-SAME: "programs: each ends before the next begins; there are other products or stores beside the halves of its first and last steps"
// CHECK-NOT: warp.role_yield
warp.func @shared_operand(%q: !tile.view<[M, 64], bf16>, %k: !tile.view<[N, 64], bf16>, %v: !tile.view<[N, 64], bf16>, %rows: !tile.blocks<128, 128, [1, 1]>, %n: i32, %out: !tile.view<[M, 64], f32> {tile.output}) attributes {dims = ["M", "N"], grid = ["ceildiv(M, 128)"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
  %qr = warp.ring_create "q" : !warp.ring<1, 128, 64, bf16>
  %kr = warp.ring_create "k" : !warp.ring<2, 128, 64, bf16>
  %vr = warp.ring_create "v" : !warp.ring<2, 128, 64, bf16>
  %pt = warp.smem_create "p" : !warp.smem<128, 128, bf16>
  warp.for_tiles(%x, %y, %z) carry(%nq = %c0, %nk = %c0) {
    %list = warp.list_open %rows[%c0, %c0, %x] limit %n nonempty : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
    warp.roles {
      warp.role producer warpgroups 1 registers 40 {
        %qs = warp.ring_acquire %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %qs bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %q[%x, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %count = warp.list_count %list : !warp.list<128, 128>
        %filled = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk) -> (i32) : i32 {
          %p, %e, %start = warp.list_step %list[%i] : !warp.list<128, 128> -> i32
          %ks = warp.ring_acquire %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %ks bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %k[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %vs = warp.ring_acquire %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.ring_fill %vs bytes 16384 : !warp.slot<128, 64, bf16> {
            warp.tma_load %v[%start, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
          }
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1 : i32
        }
      }
      warp.role consumer warpgroups 2 registers 232 attributes {warp.turns} {
        %qs = warp.ring_wait %qr[%nq] : !warp.ring<1, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        %count = warp.list_count %list : !warp.list<128, 128>
        %acc:2 = scf.for %i = %c0 to %count step %c1 iter_args(%f = %nk, %o = %zero) -> (i32, tensor<64x64xf32, #acc>) : i32 {
          %ks = warp.ring_wait %kr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
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
          %vs = warp.ring_wait %vr[%f] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
          warp.store_shared %p, %pt : tensor<64x128xbf16, #acc>, !warp.smem<128, 128, bf16>
          warp.fence_async
          warp.warpgroup_sync
          %u = warp.wgmma_ss %pt, %vs acc %scaled : tensor<64x64xf32, #acc> : !warp.smem<128, 128, bf16>, !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x64xf32, #acc>>
          %h = warp.wgmma_commit
          %next = warp.wgmma_wait %h, %u : !warp.inflight<tensor<64x64xf32, #acc>> -> tensor<64x64xf32, #acc>
          warp.ring_release %vs : !warp.slot<128, 64, bf16>
          %f1 = arith.addi %f, %c1 : i32
          scf.yield %f1, %next : i32, tensor<64x64xf32, #acc>
        }
        warp.ring_release %qs : !warp.slot<128, 64, bf16>
        warp.store_global %acc#1, %out[%x, %c0] sizes [128, 64] : tensor<64x64xf32, #acc>, !tile.view<[M, 64], f32>
      }
    }
    %count = warp.list_count %list : !warp.list<128, 128>
    %mq = arith.addi %nq, %c1 : i32
    %mk = arith.addi %nk, %count : i32
    warp.next_tile %mq, %mk : i32, i32
  }
  warp.return
}
