// Bands as arithmetic: of the runs of blocks those that may not be empty, and no memory.
// RUN: lacuna-opt %s --lower-warp --canonicalize --cse | FileCheck %s
// CHECK-NOT: RUN{{:}}

// A causal row begins at 0: nothing is left of the full blocks, so two runs.
// CHECK-LABEL: llvm.func @causal(
// CHECK-SAME: %[[END:arg0]]: i32, %[[ALL:arg1]]: i32, %[[LIMIT:arg2]]: i32,
// CHECK-NOT: llvm.load
// CHECK: %[[LAST:[0-9]+]] = arith.subi %[[LIMIT]], %c1_i32 : i32
// CHECK: %[[LAST_BLOCK:[0-9]+]] = arith.divui %[[LAST]], %c128_i32 : i32
// CHECK: %[[BLOCKS:[0-9]+]] = arith.addi %[[LAST_BLOCK]], %c1_i32 : i32
// Both spans are cut at 0 and at the limit.
// CHECK: %[[ALL_CUT:[0-9]+]] = arith.minsi %[[ALL]], %[[LIMIT]] : i32
// CHECK: %[[ALL_END:[0-9]+]] = arith.maxsi %[[ALL_CUT]], %c0_i32 : i32
// CHECK: %[[SOME_CUT:[0-9]+]] = arith.minsi %[[END]], %[[LIMIT]] : i32
// CHECK: %[[SOME_END:[0-9]+]] = arith.maxsi %[[SOME_CUT]], %c0_i32 : i32
// CHECK: %[[ANY:[0-9]+]] = arith.cmpi sgt, %[[SOME_END]], %c0_i32 : i32
// CHECK: arith.divui %{{.*}}, %c128_i32 : i32
// CHECK: %[[COUNT:[0-9]+]] = arith.select %[[ANY]], %{{.*}}, %c0_i32 : i32
// The last block need only reach the limit to be full.
// CHECK: %[[WHOLE:[0-9]+]] = arith.cmpi sge, %[[ALL_END]], %[[LIMIT]] : i32
// CHECK: %[[DOWN:[0-9]+]] = arith.divui %[[ALL_END]], %c128_i32 : i32
// CHECK: %[[CHOSEN:[0-9]+]] = arith.select %[[WHOLE]], %[[BLOCKS]], %[[DOWN]] : i32
// CHECK: %[[FULL:[0-9]+]] = arith.minsi %[[CHOSEN]], %[[COUNT]] : i32
// CHECK: %[[PARTIAL:[0-9]+]] = arith.subi %[[COUNT]], %[[FULL]] : i32
// CHECK: %[[FULL_OFFSET:[0-9]+]] = arith.subi %c0_i32, %[[PARTIAL]] : i32
// A step's block is its entry plus the offset of the entry's run: the partial ones lie behind the full ones.
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %c0_i32 to %[[COUNT]]
// CHECK: %[[IN_PARTIAL:[0-9]+]] = arith.cmpi slt, %[[I]], %[[PARTIAL]] : i32
// CHECK: %[[ENTRY:[0-9]+]] = arith.select %[[IN_PARTIAL]], %[[I]], %{{.*}} : i32
// CHECK: %[[IN_FIRST:[0-9]+]] = arith.cmpi slt, %[[ENTRY]], %[[PARTIAL]] : i32
// CHECK: %[[OFFSET:[0-9]+]] = arith.select %[[IN_FIRST]], %[[FULL]], %[[FULL_OFFSET]] : i32
// CHECK: %[[BLOCK:[0-9]+]] = arith.addi %[[ENTRY]], %[[OFFSET]] : i32
// CHECK: arith.muli %[[BLOCK]], %c128_i32 : i32
// CHECK-NOT: llvm.load
// CHECK: llvm.return
warp.func @causal(%end: i32, %all: i32, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %l = warp.list_bands (%c0 to %end all %c0 to %all) limit %limit : !warp.list<128, 128>
  %n = warp.list_count %l : !warp.list<128, 128>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<128, 128> -> i32
    warp.store_global %start, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// From 0 to the limit, or past what any limit can be, every block is full: one run, in which an entry is its block.
// CHECK-LABEL: llvm.func @dense(
// CHECK-SAME: %[[LIMIT:arg0]]: i32,
// CHECK: %[[LAST:[0-9]+]] = arith.subi %[[LIMIT]], %c1_i32 : i32
// CHECK: %[[LAST_BLOCK:[0-9]+]] = arith.divui %[[LAST]], %c128_i32 : i32
// CHECK: %[[BLOCKS:[0-9]+]] = arith.addi %[[LAST_BLOCK]], %c1_i32 : i32
// CHECK-NOT: arith.divui
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %c0_i32 to %[[BLOCKS]]
// CHECK: %[[MASKED:[0-9]+]] = arith.cmpi slt, %[[I]], %{{.*}} : i32
// CHECK: %[[ENTRY:[0-9]+]] = arith.select %[[MASKED]]
// CHECK: arith.muli %{{.*}}, %c128_i32 : i32
// CHECK-NOT: llvm.load
// CHECK: llvm.return
warp.func @dense(%limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %past = arith.constant 2147483647 : i32
  %l = warp.list_bands (%c0 to %past all %c0 to %limit) limit %limit : !warp.list<128, 128>
  %n = warp.list_count %l : !warp.list<128, 128>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<128, 128> -> i32
    warp.store_global %start, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// Two bands: their spans `all` are united where they touch, a block of both is the first one's, and there are six runs.
// Several blocks a step: each has a chain of its own.
// CHECK-LABEL: llvm.func @two(
// CHECK-SAME: %[[A:arg0]]: i32, %[[B:arg1]]: i32, %[[C:arg2]]: i32, %[[D:arg3]]: i32,
// CHECK: arith.andi %{{.*}}, %{{.*}} : i1
// CHECK: %[[TOUCH:[0-9]+]] = arith.andi %{{.*}}, %{{.*}} : i1
// CHECK: %[[BOTH:[0-9]+]] = arith.andi %{{.*}}, %[[TOUCH]] : i1
// CHECK: arith.select %[[BOTH]], %{{.*}}, %{{.*}} : i32
// CHECK: scf.for
// CHECK-COUNT-10: arith.select %{{.*}}, %{{.*}}, %{{.*}} : i32
// CHECK-NOT: llvm.load
// CHECK: llvm.return
warp.func @two(%a: i32, %b: i32, %c: i32, %d: i32, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %l = warp.list_bands (%a to %b all %c to %d), (%c to %d all %a to %b) limit %limit : !warp.list<64, 128>
  %n = warp.list_count %l : !warp.list<64, 128>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %partial, %exceeds, %start:2 = warp.list_step %l[%i] : !warp.list<64, 128> -> i32, i32
    warp.store_global %start#0, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
    warp.store_global %start#1, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// A row that may be empty has a step of padding then, past the limit at a multiple of 64: chosen, as there is nothing to
// read.
// CHECK-LABEL: llvm.func @nonempty(
// CHECK-SAME: %[[END:arg0]]: i32, %[[LIMIT:arg1]]: i32,
// CHECK: %[[SOME:[0-9]+]] = arith.cmpi sgt, %{{.*}}, %c0_i32 : i32
// CHECK: %[[BLOCKS:[0-9]+]] = arith.select %[[SOME]], %{{.*}}, %c0_i32 : i32
// CHECK: %[[EMPTY:[0-9]+]] = arith.cmpi eq, %[[BLOCKS]], %c0_i32 : i32
// CHECK: %[[ONE:[0-9]+]] = arith.extui %[[EMPTY]] : i1 to i32
// CHECK: %[[COUNT:[0-9]+]] = arith.addi %[[BLOCKS]], %[[ONE]] : i32
// CHECK: scf.for %{{.*}} = %c0_i32 to %[[COUNT]]
// CHECK: %[[UP:[0-9]+]] = arith.addi %[[LIMIT]], %c63_i32 : i32
// CHECK: %[[PADDING:[0-9]+]] = arith.andi %[[UP]], %c-64_i32 : i32
// CHECK: %[[START:[0-9]+]] = arith.muli %{{.*}}, %c128_i32 : i32
// CHECK: arith.select %[[EMPTY]], %[[PADDING]], %[[START]] : i32
// CHECK-NOT: llvm.load
// CHECK: llvm.return
warp.func @nonempty(%end: i32, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %l = warp.list_bands (%c0 to %end all %c0 to %c0) limit %limit nonempty : !warp.list<128, 128>
  %n = warp.list_count %l : !warp.list<128, 128>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<128, 128> -> i32
    warp.store_global %start, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
  }
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}

// From 0 to the limit a row is seen not to be empty: no padding, and none is asked for.
// CHECK-LABEL: llvm.func @never_empty(
// CHECK-NOT: c63_i32
// CHECK-NOT: arith.select
// CHECK: llvm.store %c4_i32
// CHECK: llvm.return
warp.func @never_empty(%limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %three = arith.constant 3 : i32
  %four = arith.constant 4 : i32
  %l = warp.list_bands (%c0 to %limit all %c0 to %limit) limit %limit nonempty : !warp.list<128, 128>
  %n = warp.list_count %l : !warp.list<128, 128>
  %padded = warp.list_padded %l : !warp.list<128, 128>
  %result = arith.select %padded, %three, %four : i32
  warp.store_global %result, %y[%n] sizes [0] : i32, !tile.view<[M], i32>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
    }
  }
  warp.return
}
