#ifndef LACUNA_COMPILER_CONVERSION_TILETOWARP
#define LACUNA_COMPILER_CONVERSION_TILETOWARP

include "mlir/Pass/PassBase.td"

def TileToWarp : Pass<"tile-to-warp", "::mlir::ModuleOp"> {
  let summary = "Splits each kernel into a producer that copies tiles and consumers that compute on them";
  let description = [{
    The kernel's rows are dealt to one to three consumer warpgroups, 64 each. A load that a product reads goes through a
    ring in shared memory, filled by the producer; other loads go straight into registers. The producer runs the same
    loops as the consumers, with only what the copies need; sparse loops of both are driven by one `!warp.list`.

    For which machine is the option `target`: one with a copy engine gets `warp.tma_load` and wgmma, another
    `warp.async_load` and `warp.mma_sync`; there a thread block runs one program, and what wgmma and TMA alone make
    possible is left out, which `warp.decisions` says. A ring for which the schedule names no depth has `stages` slots,
    or fewer where these do not fit into the shared memory that every GPU of the target has.

    Refused, with the reason: tiles whose rows are not the kernel's, products whose second operand is computed,
    operands that cannot be copied, more than three warpgroups.
  }];
  let options = [Option<"stages", "stages", "int64_t", "2", "slots of a ring that a loop fills">,
                 Option<"target", "target", "std::string", "\"sm_90a\"", "the machine that kernels are for">];
  let dependentDialects = ["::lacuna::warp::WarpDialect"];
}

#endif
