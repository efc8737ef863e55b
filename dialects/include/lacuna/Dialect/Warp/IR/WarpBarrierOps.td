// Barriers.
#ifndef LACUNA_DIALECT_WARP_WARPBARRIEROPS
#define LACUNA_DIALECT_WARP_WARPBARRIEROPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

class Warp_NamedBarrierOp<string mnemonic> : Warp_Op<mnemonic, [Warp_Sync]> {
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<1>, IntMaxValue<15>]>:$id, I64Attr:$threads);
  let assemblyFormat = "$id `threads` $threads attr-dict";
  let hasVerifier = 1;
}
def Warp_NamedBarrierSyncOp : Warp_NamedBarrierOp<"named_barrier_sync"> {
  let summary = "waits until `threads` threads have arrived at barrier `id` (1 to 15; 0 is the whole block's)";
}
def Warp_NamedBarrierArriveOp : Warp_NamedBarrierOp<"named_barrier_arrive"> {
  let summary = "arrives at barrier `id` without waiting";
}

// Directly in a role, or in its loops and conditions.
def Warp_InRole : ParentOneOf<["RoleOp", "::mlir::scf::ForOp", "::mlir::scf::IfOp"]>;
def Warp_TurnWaitOp : Warp_Op<"turn_wait", [Warp_Sync, Warp_InRole]> {
  let summary = "waits until it is this warpgroup's turn to issue products";
  let description = [{
    The warpgroups of a consumer role take turns in the order of their numbers; warpgroup 0 has the first. A warpgroup
    that has the turn issues its products and hands it on with `warp.turn_pass`, so that one computes with the tensor
    cores while another computes in registers. Every warpgroup takes as many turns: both stand where all warpgroups
    come. Turns use the named barriers 2, 3 and 4.
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}
def Warp_TurnPassOp : Warp_Op<"turn_pass", [Warp_Sync, Warp_InRole]> {
  let summary = "hands the turn to the next warpgroup; see `warp.turn_wait`";
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Warp_WarpgroupSyncOp : Warp_Op<"warpgroup_sync", [Warp_Sync]> {
  let summary = "waits until all threads of this warpgroup have come";
  let description = [{ A barrier for each consumer warpgroup by itself: the named barriers 8, 9 and 10. }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Warp_FenceAsyncOp : Warp_Op<"fence_async", [Warp_Sync]> {
  let summary = "makes this thread's writes to shared memory visible to wgmma and TMA";
  let assemblyFormat = "attr-dict";
}

#endif // LACUNA_DIALECT_WARP_WARPBARRIEROPS
