// Roles that keep values from program to program: printed as they are read.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// RUN: lacuna-opt %s --mlir-print-op-generic | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>

// One fill more before the first program, and one wait more after the last: both sides of the ring run equally often.
// CHECK-LABEL: warp.func @state
// CHECK: warp.role producer warpgroups 1 registers 24 enter {
// CHECK: warp.ring_acquire
// CHECK: } each {
// CHECK: warp.ring_acquire
// CHECK: } leave {
// CHECK-NEXT: }
// CHECK: warp.role consumer warpgroups 1 registers 232 attributes {warp.turns} enter {
// CHECK: warp.role_yield %{{.*}}, %{{.*}} : i32, tensor<64x1xf32, #warp.row>
// CHECK: } each(%[[A:.*]]: i32, %{{.*}}: tensor<64x1xf32, #warp.row>) {
// CHECK: warp.ring_wait %{{.*}}[%[[A]]]
// CHECK: warp.role_yield %{{.*}}, %{{.*}} : i32, tensor<64x1xf32, #warp.row>
// CHECK: } leave(%[[B:.*]]: i32, %{{.*}}: tensor<64x1xf32, #warp.row>) {
// CHECK: warp.ring_wait %{{.*}}[%[[B]]]
// CHECK-NOT: warp.role_yield
// CHECK: warp.next_tile
warp.func @state(%x: !view) attributes {dims = ["N"], grid = ["N"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %row = arith.constant dense<0.0> : tensor<64x1xf32, #warp.row>
  %r = warp.ring_create "k" : !ring
  warp.for_tiles(%px, %py, %pz) carry(%n = %c0) {
    %next = arith.addi %n, %c1 : i32
    warp.roles {
      warp.role producer warpgroups 1 registers 24 enter {
        %s = warp.ring_acquire %r[%c0] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      } each {
        %s = warp.ring_acquire %r[%next] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%px, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      } leave {
      }
      warp.role consumer warpgroups 1 registers 232 attributes {warp.turns} enter {
        warp.role_yield %c0, %row : i32, tensor<64x1xf32, #warp.row>
      } each(%fill: i32, %sum: tensor<64x1xf32, #warp.row>) {
        %s = warp.ring_wait %r[%fill] : !ring -> !slot
        warp.ring_release %s : !slot
        warp.role_yield %next, %sum : i32, tensor<64x1xf32, #warp.row>
      } leave(%fill: i32, %sum: tensor<64x1xf32, #warp.row>) {
        %s = warp.ring_wait %r[%fill] : !ring -> !slot
        warp.ring_release %s : !slot
      }
    }
    warp.next_tile %next : i32
  }
  warp.return
}

!blocks = !tile.blocks<64, 64, [1, 1]>
!list = !warp.list<64, 64>

// A list that is never empty: a step in front of the loop and the others are all of them.
// CHECK-LABEL: warp.func @never_empty
// CHECK: warp.list_open {{.*}} limit %{{.*}} nonempty : <64, 64, [1, 1]>
// CHECK: warp.list_padded %{{.*}} : <64, 64>
warp.func @never_empty(%x: !view, %p: !blocks) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_open %p[%c0, %c0, %c0] limit %c1 nonempty : !blocks -> !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %count = warp.list_count %l : !list
      scf.for %i = %c0 to %count step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %padded = warp.list_padded %l : !list
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
      %masked = warp.list_masked %l : !list
      %middle = arith.maxsi %masked, %c1 : i32
      %count = warp.list_count %l : !list
      scf.for %i = %c1 to %middle step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
      scf.for %i = %middle to %count step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
    }
  }
  warp.return
}

// The same of bands.
// CHECK-LABEL: warp.func @never_empty_bands
// CHECK: warp.list_bands {{.*}} limit %{{.*}} nonempty : <64, 64>
warp.func @never_empty_bands(%x: !view, %end: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  %l = warp.list_bands (%c0 to %end all %c0 to %end) limit %c1 nonempty : !list
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %count = warp.list_count %l : !list
      scf.for %i = %c0 to %count step %c1 : i32 {
        %s = warp.ring_acquire %r[%i] : !ring -> !slot
        warp.ring_fill %s bytes 8192 : !slot {
          warp.tma_load %x[%i, %c0] axis 0 size 64 by 64 at 0, 0 : !view
        }
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %padded = warp.list_padded %l : !list
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      warp.ring_release %s : !slot
      %masked = warp.list_masked %l : !list
      %middle = arith.maxsi %masked, %c1 : i32
      %count = warp.list_count %l : !list
      scf.for %i = %c1 to %middle step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
      scf.for %i = %middle to %count step %c1 : i32 {
        %t = warp.ring_wait %r[%i] : !ring -> !slot
        warp.ring_release %t : !slot
      }
    }
  }
  warp.return
}
