// A box past the end of the view's innermost axis starts at a multiple of 64; where every start is one, nothing is added.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: llvm.func @steps_of_96(
// CHECK: scf.for %[[K:[a-z0-9_]+]] =
// CHECK: %[[UP:[0-9]+]] = arith.addi %[[K]], %c63_i32 : i32
// CHECK: %[[ROUNDED:[0-9]+]] = arith.andi %[[UP]], %c-64_i32 : i32
// CHECK: %[[PAST:[0-9]+]] = arith.cmpi sge, %[[K]], %[[N:[a-z0-9_]+]] : i32
// CHECK: %[[START:[0-9]+]] = arith.select %[[PAST]], %[[ROUNDED]], %[[K]] : i32
// CHECK: cp.async.bulk.tensor
// CHECK-SAME: %[[START]]
// CHECK: arith.addi %[[K]], %c64_i32 : i32
// CHECK: arith.cmpi sge, %{{.*}}, %[[N]] : i32
// CHECK: arith.select
// CHECK: cp.async.bulk.tensor
warp.func @steps_of_96(%x: !tile.view<[M, N], bf16>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c96 = arith.constant 96 : i32
  %n = tile.dim "N"
  %r = warp.ring_create "x" : !warp.ring<1, 64, 96, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %k = %c0 to %n step %c96 : i32 {
        %i = arith.divui %k, %c96 : i32
        %s = warp.ring_acquire %r[%i] : !warp.ring<1, 64, 96, bf16> -> !warp.slot<64, 96, bf16>
        warp.ring_fill %s bytes 16384 : !warp.slot<64, 96, bf16> {
          warp.tma_load %x[%c0, %k] axis 0 size 64 by 96 at 0, 0 : !tile.view<[M, N], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %k = %c0 to %n step %c96 : i32 {
        %i = arith.divui %k, %c96 : i32
        %s = warp.ring_wait %r[%i] : !warp.ring<1, 64, 96, bf16> -> !warp.slot<64, 96, bf16>
        warp.ring_release %s : !warp.slot<64, 96, bf16>
      }
    }
  }
  warp.return
}

// CHECK-LABEL: llvm.func @steps_of_64(
// CHECK: scf.for %[[K:[a-z0-9_]+]] =
// CHECK-NOT: arith.cmpi sge
// CHECK: cp.async.bulk.tensor
// CHECK-SAME: %[[K]]
// CHECK: llvm.return
warp.func @steps_of_64(%x: !tile.view<[M, N], bf16>) attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %n = tile.dim "N"
  %r = warp.ring_create "x" : !warp.ring<1, 64, 64, bf16>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      scf.for %k = %c0 to %n step %c64 : i32 {
        %i = arith.divui %k, %c64 : i32
        %s = warp.ring_acquire %r[%i] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_fill %s bytes 8192 : !warp.slot<64, 64, bf16> {
          warp.tma_load %x[%c0, %k] axis 0 size 64 by 64 at 0, 0 : !tile.view<[M, N], bf16>
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      scf.for %k = %c0 to %n step %c64 : i32 {
        %i = arith.divui %k, %c64 : i32
        %s = warp.ring_wait %r[%i] : !warp.ring<1, 64, 64, bf16> -> !warp.slot<64, 64, bf16>
        warp.ring_release %s : !warp.slot<64, 64, bf16>
      }
    }
  }
  warp.return
}
