// Block lists as address arithmetic: rows past the end, several steps a block, several blocks a step.
// RUN: lacuna-opt %s --lower-warp --canonicalize | FileCheck %s
// CHECK-NOT: RUN{{:}}

// CHECK-LABEL: llvm.func @open(
// CHECK-SAME: %[[INDPTR:arg0]]: !llvm.ptr<1>, %[[SPLIT:arg1]]: !llvm.ptr<1>, %[[INDICES:arg2]]: !llvm.ptr<1>, %[[BS:arg3]]: i64, %[[HS:arg4]]: i64, %[[ROWS:arg5]]: i32, %[[LIMIT:arg6]]: i32,
// A row past the list's rows (or a negative one) is empty: nothing past the arrays is read, and both ends are zero.
// CHECK: %[[IN:[0-9]+]] = arith.cmpi ult, %[[ROW:[a-z0-9_]+]], %[[ROWS]] : i32
// CHECK: arith.muli %{{.*}}, %[[BS]] : i64
// CHECK: arith.muli %{{.*}}, %[[HS]] : i64
// CHECK: %[[AT:[0-9]+]] = arith.select %[[IN]], %{{.*}}, %c0_i64 : i64
// CHECK: llvm.getelementptr %[[INDPTR]][%[[AT]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
// CHECK: llvm.load %{{.*}} invariant {alignment = 4 : i64} : !llvm.ptr<1> -> i32
// CHECK: %[[FIRST:[0-9]+]] = arith.select %[[IN]], %{{.*}}, %c0_i32 : i32
// CHECK: llvm.getelementptr %[[SPLIT]][%[[AT]]]
// CHECK: %[[MID:[0-9]+]] = arith.select %[[IN]], %{{.*}}, %c0_i32 : i32
// CHECK: %[[NEXT:[0-9]+]] = arith.addi %[[AT]], %c1_i64 : i64
// CHECK: llvm.getelementptr %[[INDPTR]][%[[NEXT]]]
// CHECK: %[[END:[0-9]+]] = arith.select %[[IN]], %{{.*}}, %c0_i32 : i32
// CHECK: %[[PARTIAL:[0-9]+]] = arith.subi %[[MID]], %[[FIRST]] : i32
// CHECK: %[[FULL:[0-9]+]] = arith.subi %[[END]], %[[MID]] : i32
// A block is a step: as many steps as blocks.
// CHECK: %[[COUNT:[0-9]+]] = arith.addi %[[PARTIAL]], %[[FULL]] : i32
// Only the last full block can reach past the limit, by some of its steps; a list without full blocks reads none.
// CHECK: %[[SOME:[0-9]+]] = arith.cmpi sgt, %[[FULL]], %c0_i32 : i32
// CHECK: %[[LAST:[0-9]+]] = arith.addi %[[END]], %c-1_i32 : i32
// CHECK: %[[AT_LAST:[0-9]+]] = arith.select %[[SOME]], %[[LAST]], %[[FIRST]] : i32
// CHECK: %[[READ:[0-9]+]] = scf.if %[[SOME]] -> (i32) {
// CHECK: arith.extsi %[[AT_LAST]] : i32 to i64
// CHECK: llvm.load
// CHECK: } else {
// CHECK-NEXT: scf.yield %c0_i32 : i32
// CHECK: %[[NEXT_BLOCK:[0-9]+]] = arith.addi %[[READ]], %c1_i32 : i32
// CHECK: %[[BLOCK_END:[0-9]+]] = arith.muli %[[NEXT_BLOCK]], %c128_i32 : i32
// CHECK: %[[PAST:[0-9]+]] = arith.subi %[[BLOCK_END]], %[[LIMIT]] : i32
// CHECK: %[[ROUNDED:[0-9]+]] = arith.addi %[[PAST]], %c127_i32 : i32
// CHECK: %[[UP:[0-9]+]] = arith.divsi %[[ROUNDED]], %c128_i32 : i32
// CHECK: %[[ATLEAST:[0-9]+]] = arith.maxsi %[[UP]], %c0_i32 : i32
// CHECK: %[[ATMOST:[0-9]+]] = arith.minsi %[[ATLEAST]], %c1_i32 : i32
// CHECK: %[[EXCEEDING:[0-9]+]] = arith.select %[[SOME]], %[[ATMOST]], %c0_i32 : i32
// CHECK: %[[MASKED:[0-9]+]] = arith.addi %[[PARTIAL]], %[[EXCEEDING]] : i32
// The partial steps are run in the order of the list, then those past the limit from the end on, then the other full ones.
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[COUNT]]
// CHECK: %[[BOTH:[0-9]+]] = arith.addi %[[COUNT]], %[[PARTIAL]] : i32
// CHECK: %[[BOTH1:[0-9]+]] = arith.addi %[[BOTH]], %c-1_i32 : i32
// CHECK: %[[BACK:[0-9]+]] = arith.subi %[[BOTH1]], %[[I]] : i32
// CHECK: %[[LATER:[0-9]+]] = arith.subi %[[I]], %{{.*}} : i32
// CHECK: %[[IN_MASKED:[0-9]+]] = arith.cmpi slt, %[[I]], %[[MASKED]] : i32
// CHECK: %[[REST:[0-9]+]] = arith.select %[[IN_MASKED]], %[[BACK]], %[[LATER]] : i32
// CHECK: %[[IN_PARTIAL:[0-9]+]] = arith.cmpi slt, %[[I]], %[[PARTIAL]] : i32
// CHECK: %[[NUMBER:[0-9]+]] = arith.select %[[IN_PARTIAL]], %[[I]], %[[REST]] : i32
// CHECK: arith.cmpi slt, %[[I]], %[[PARTIAL]] : i32
// CHECK: %[[ENTRY:[0-9]+]] = arith.addi %[[FIRST]], %[[NUMBER]] : i32
// CHECK: %[[WIDE:[0-9]+]] = arith.extsi %[[ENTRY]] : i32 to i64
// CHECK: llvm.getelementptr %[[INDICES]][%[[WIDE]]]
// CHECK: %[[BLOCK:[0-9]+]] = llvm.load
// CHECK: arith.muli %[[BLOCK]], %c128_i32 : i32
warp.func @open(%rows: !tile.blocks<128, 128, [B, H]>, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["B", "H", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %row = tile.program_id 0
  %h = tile.program_id 1
  %b = tile.program_id 2
  %l = warp.list_open %rows[%b, %h, %row] limit %limit : !tile.blocks<128, 128, [B, H]> -> !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !warp.list<128, 128>
      scf.for %i = %c0 to %n step %c1 : i32 {
        %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<128, 128> -> i32
        scf.if %partial {
          warp.store_global %start, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
        }
      }
    }
  }
  warp.return
}

// Blocks of 256 in steps of 64: four steps a block, partial ones counted likewise.
// CHECK-LABEL: llvm.func @steps(
// CHECK: %[[PARTIAL:[0-9]+]] = arith.subi
// CHECK: %[[FULL:[0-9]+]] = arith.subi
// CHECK: %[[PSTEPS:[0-9]+]] = arith.muli %[[PARTIAL]], %c4_i32 : i32
// CHECK: %[[FSTEPS:[0-9]+]] = arith.muli %[[FULL]], %c4_i32 : i32
// CHECK: %[[COUNT:[0-9]+]] = arith.addi %[[PSTEPS]], %[[FSTEPS]] : i32
// Of the last block, the steps that start less than a step before the limit or past it: up to all four.
// CHECK: %[[PAST:[0-9]+]] = arith.subi %{{.*}}, %{{.*}} : i32
// CHECK: %[[ROUNDED:[0-9]+]] = arith.addi %[[PAST]], %c63_i32 : i32
// CHECK: arith.divsi %[[ROUNDED]], %c64_i32 : i32
// CHECK: arith.minsi %{{.*}}, %c4_i32 : i32
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[COUNT]]
// CHECK: %[[NUMBER:[0-9]+]] = arith.select %{{.*}}, %[[I]], %{{.*}} : i32
// CHECK: arith.cmpi slt, %[[I]], %[[PSTEPS]] : i32
// CHECK: %[[ENTRY:[0-9]+]] = arith.divui %[[NUMBER]], %c4_i32 : i32
// CHECK: %[[WITHIN:[0-9]+]] = arith.remui %[[NUMBER]], %c4_i32 : i32
// CHECK: arith.addi %{{.*}}, %[[ENTRY]] : i32
// CHECK: %[[START:[0-9]+]] = arith.muli %{{.*}}, %c256_i32 : i32
// CHECK: %[[OFFSET:[0-9]+]] = arith.muli %[[WITHIN]], %c64_i32 : i32
// CHECK: arith.addi %[[START]], %[[OFFSET]] : i32
warp.func @steps(%rows: !tile.blocks<128, 256, [B, H]>, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["B", "H", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %row = tile.program_id 0
  %l = warp.list_open %rows[%c0, %c0, %row] limit %limit : !tile.blocks<128, 256, [B, H]> -> !warp.list<256, 64>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !warp.list<256, 64>
      scf.for %i = %c0 to %n step %c1 : i32 {
        %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<256, 64> -> i32
        scf.if %partial {
          warp.store_global %start, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
        }
      }
    }
  }
  warp.return
}

// Blocks of 64 in steps of 128: two a step, partial and full ones never mixed, each part rounded up; what fills an odd step
// starts at the next multiple of 64 past the limit, and reads an entry that is there.
// CHECK-LABEL: llvm.func @runs(
// CHECK-SAME: %[[LIMIT:arg6]]: i32
// CHECK: %[[FIRST:[0-9]+]] = arith.select %{{.*}}, %{{.*}}, %c0_i32 : i32
// CHECK: %[[MID:[0-9]+]] = arith.select %{{.*}}, %{{.*}}, %c0_i32 : i32
// CHECK: %[[END:[0-9]+]] = arith.select %{{.*}}, %{{.*}}, %c0_i32 : i32
// CHECK: %[[PARTIAL:[0-9]+]] = arith.subi %[[MID]], %[[FIRST]]
// CHECK: %[[FULL:[0-9]+]] = arith.subi %[[END]], %[[MID]]
// CHECK: %[[P1:[0-9]+]] = arith.addi %[[PARTIAL]], %c1_i32
// CHECK: %[[PSTEPS:[0-9]+]] = arith.divui %[[P1]], %c2_i32
// CHECK: %[[F1:[0-9]+]] = arith.addi %[[FULL]], %c1_i32
// CHECK: %[[FSTEPS:[0-9]+]] = arith.divui %[[F1]], %c2_i32
// CHECK: %[[COUNT:[0-9]+]] = arith.addi %[[PSTEPS]], %[[FSTEPS]]
// An odd number of full blocks pads the last step, which then exceeds the limit, too.
// CHECK: %[[ODD:[0-9]+]] = arith.remui %[[FULL]], %c2_i32 : i32
// CHECK: %[[PADDED:[0-9]+]] = arith.cmpi ne, %[[ODD]], %c0_i32 : i32
// CHECK: arith.ori %[[PADDED]], %{{.*}} : i1
// CHECK: scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[COUNT]]
// CHECK: %[[NUMBER:[0-9]+]] = arith.select %{{.*}}, %[[I]], %{{.*}} : i32
// CHECK: %[[IS:[0-9]+]] = arith.cmpi slt, %[[I]], %[[PSTEPS]] : i32
// CHECK: %[[SKIP:[0-9]+]] = arith.select %[[IS]], %c0_i32, %[[PSTEPS]] : i32
// CHECK: %[[WITHIN:[0-9]+]] = arith.subi %[[NUMBER]], %[[SKIP]] : i32
// CHECK: %[[FROM:[0-9]+]] = arith.select %[[IS]], %[[FIRST]], %[[MID]] : i32
// CHECK: %[[TWICE:[0-9]+]] = arith.muli %[[WITHIN]], %c2_i32
// CHECK: %[[E0:[0-9]+]] = arith.addi %[[FROM]], %[[TWICE]] : i32
// CHECK: %[[TO:[0-9]+]] = arith.select %[[IS]], %[[MID]], %[[END]] : i32
// CHECK: %[[UP:[0-9]+]] = arith.addi %[[LIMIT]], %c63_i32 : i32
// CHECK: %[[PADDING:[0-9]+]] = arith.andi %[[UP]], %c-64_i32 : i32
// CHECK: arith.cmpi slt, %[[E0]], %[[TO]] : i32
// CHECK: %[[E1:[0-9]+]] = arith.addi %[[E0]], %c1_i32 : i32
// CHECK: %[[THERE:[0-9]+]] = arith.cmpi slt, %[[E1]], %[[TO]] : i32
// CHECK: %[[SAFE:[0-9]+]] = arith.select %[[THERE]], %[[E1]], %[[E0]] : i32
// CHECK: arith.extsi %[[SAFE]] : i32 to i64
// CHECK: %[[START:[0-9]+]] = arith.muli %{{.*}}, %c64_i32 : i32
// CHECK: arith.select %[[THERE]], %[[START]], %[[PADDING]] : i32
warp.func @runs(%rows: !tile.blocks<128, 64, [B, H]>, %limit: i32, %y: !tile.view<[M], i32> {tile.output}) attributes {dims = ["B", "H", "M"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %row = tile.program_id 0
  %l = warp.list_open %rows[%c0, %c0, %row] limit %limit : !tile.blocks<128, 64, [B, H]> -> !warp.list<64, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
    }
    warp.role consumer warpgroups 1 registers 232 {
      %n = warp.list_count %l : !warp.list<64, 128>
      scf.for %i = %c0 to %n step %c1 : i32 {
        %partial, %exceeds, %start:2 = warp.list_step %l[%i] : !warp.list<64, 128> -> i32, i32
        scf.if %partial {
          warp.store_global %start#0, %y[%i] sizes [0] : i32, !tile.view<[M], i32>
          warp.store_global %start#1, %y[%c1] sizes [0] : i32, !tile.view<[M], i32>
        }
      }
    }
  }
  warp.return
}
