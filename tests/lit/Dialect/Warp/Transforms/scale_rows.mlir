// What a product accumulates onto, rescaled in a loop by a factor a row: warps pass over factors of one. Other
// multiplications stay as they are.
// RUN: lacuna-opt %s --pass-pipeline='builtin.module(warp.func(warp-scale-rows))' | FileCheck %s
// CHECK-NOT: RUN{{:}}

!row = tensor<64x1xf32, #warp.row>
!acc = tensor<64x64xf32, #warp.acc>
!thin = tensor<64x48xf32, #warp.acc>
!a = tensor<64x64xbf16, #warp.afrag>

// Rescaled in front of the product; the factor may stand on either side.
// CHECK-LABEL: warp.func @at_once
// CHECK: %[[SCALED:.*]] = warp.scale_rows %{{.*}} by %{{.*}} : tensor<64x64xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
// CHECK-NOT: arith.mulf
// CHECK: warp.wgmma_rs %{{.*}}, %{{.*}} acc %[[SCALED]]
warp.func @at_once(%b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !acc
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!acc) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %many = warp.broadcast %factors : !row -> !acc
        %scaled = arith.mulf %many, %o : !acc
        %u = warp.wgmma_rs %a, %s acc %scaled : !acc : !a, !warp.slot<64, 64, bf16> -> !warp.inflight<!acc>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!acc> -> !acc
        warp.ring_release %s : !warp.slot<64, 64, bf16>
        scf.yield %w : !acc
      }
      warp.store_global %sum, %y[%c0, %c0] sizes [64, 64] : !acc, !tile.view<[M, 64], f32>
    }
  }
  warp.return
}

// Rescaled behind the wait, for the next trip.
// CHECK-LABEL: warp.func @next_trip
// CHECK: %[[SUM:.*]] = warp.wgmma_wait
// CHECK: %[[SCALED:.*]] = warp.scale_rows %[[SUM]] by %{{.*}} :
// CHECK-NOT: arith.mulf
// CHECK: scf.yield %[[SCALED]]
warp.func @next_trip(%b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !acc
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!acc) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %u = warp.wgmma_rs %a, %s acc %o : !acc : !a, !warp.slot<64, 64, bf16> -> !warp.inflight<!acc>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!acc> -> !acc
        warp.ring_release %s : !warp.slot<64, 64, bf16>
        %many = warp.broadcast %factors : !row -> !acc
        %scaled = arith.mulf %w, %many : !acc
        scf.yield %scaled : !acc
      }
      warp.store_global %sum, %y[%c0, %c0] sizes [64, 64] : !acc, !tile.view<[M, 64], f32>
    }
  }
  warp.return
}

//===--------------------------------------------------------------------------------------------------------------===//
// Left as they are
//===--------------------------------------------------------------------------------------------------------------===//

// Fewer than 32 registers a thread.
// CHECK-LABEL: warp.func @thin
// CHECK-NOT: warp.scale_rows
// CHECK: arith.mulf
// CHECK-NOT: warp.scale_rows
// CHECK: warp.return
warp.func @thin(%b: !tile.view<[N, 48], bf16>, %y: !tile.view<[M, 48], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 48, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 48, bf16> -> !warp.slot<64, 48, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 48, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 48 at 0, 0 : !tile.view<[N, 48], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !thin
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!thin) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 48, bf16> -> !warp.slot<64, 48, bf16>
        %u = warp.wgmma_rs %a, %s acc %o : !thin : !a, !warp.slot<64, 48, bf16> -> !warp.inflight<!thin>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!thin> -> !thin
        warp.ring_release %s : !warp.slot<64, 48, bf16>
        %many = warp.broadcast %factors : !row -> !thin
        %scaled = arith.mulf %w, %many : !thin
        scf.yield %scaled : !thin
      }
      warp.store_global %sum, %y[%c0, %c0] sizes [64, 48] : !thin, !tile.view<[M, 48], f32>
    }
  }
  warp.return
}

// One factor for all rows, not one a row.
// CHECK-LABEL: warp.func @one_factor
// CHECK-NOT: warp.scale_rows
// CHECK: arith.mulf
// CHECK-NOT: warp.scale_rows
// CHECK: warp.return
warp.func @one_factor(%b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !acc
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!acc) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %u = warp.wgmma_rs %a, %s acc %o : !acc : !a, !warp.slot<64, 64, bf16> -> !warp.inflight<!acc>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!acc> -> !acc
        warp.ring_release %s : !warp.slot<64, 64, bf16>
        %many = warp.broadcast %f : f32 -> !acc
        %scaled = arith.mulf %w, %many : !acc
        scf.yield %scaled : !acc
      }
      warp.store_global %sum, %y[%c0, %c0] sizes [64, 64] : !acc, !tile.view<[M, 64], f32>
    }
  }
  warp.return
}

// No product accumulates onto it: the next trip takes its exponential first.
// CHECK-LABEL: warp.func @not_accumulated
// CHECK-NOT: warp.scale_rows
// CHECK: arith.mulf
// CHECK-NOT: warp.scale_rows
// CHECK: warp.return
warp.func @not_accumulated(%b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !acc
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!acc) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %many = warp.broadcast %factors : !row -> !acc
        %square = math.exp2 %o : !acc
        %u = warp.wgmma_rs %a, %s acc %square : !acc : !a, !warp.slot<64, 64, bf16> -> !warp.inflight<!acc>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!acc> -> !acc
        warp.ring_release %s : !warp.slot<64, 64, bf16>
        %scaled = arith.mulf %w, %many : !acc
        scf.yield %scaled : !acc
      }
      warp.store_global %sum, %y[%c0, %c0] sizes [64, 64] : !acc, !tile.view<[M, 64], f32>
    }
  }
  warp.return
}

// Once, behind the loop.
// CHECK-LABEL: warp.func @behind_the_loop
// CHECK-NOT: warp.scale_rows
// CHECK: arith.mulf
// CHECK-NOT: warp.scale_rows
// CHECK: warp.return
warp.func @behind_the_loop(%b: !tile.view<[N, 64], bf16>, %y: !tile.view<[M, 64], f32> {tile.output}, %f: f32, %n: i32)
    attributes {dims = ["N", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "b" : !warp.ring<2, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %i = %c0 to %n step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %b[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %zero = arith.constant dense<0.0> : !acc
      %a = arith.constant dense<1.0> : !a
      %factors = warp.broadcast %f : f32 -> !row
      %sum = scf.for %i = %c0 to %n step %c1 iter_args(%o = %zero) -> (!acc) : i32 {
        %s = warp.ring_wait %r[%i] : !warp.ring<2, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        %u = warp.wgmma_rs %a, %s acc %o : !acc : !a, !warp.slot<64, 64, bf16> -> !warp.inflight<!acc>
        %g = warp.wgmma_commit
        %w = warp.wgmma_wait %g, %u : !warp.inflight<!acc> -> !acc
        warp.ring_release %s : !warp.slot<64, 64, bf16>
        scf.yield %w : !acc
      }
      %many = warp.broadcast %factors : !row -> !acc
      %scaled = arith.mulf %sum, %many : !acc
      warp.store_global %scaled, %y[%c0, %c0] sizes [64, 64] : !acc, !tile.view<[M, 64], f32>
    }
  }
  warp.return
}
