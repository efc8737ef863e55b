// The interpreter of the dialect `warp`: runs a kernel on this CPU as the machine would, and reports every broken rule.
//
// It executes the IR of stage `warp.opt`, the very text that lower-warp turns into PTX. A kernel that a GPU would hang
// on, or that is right on it by luck alone, fails here with a message. A thread block is a producer (one thread, or one
// warp) and the consumer warpgroups (128 threads in lockstep); what they share is modelled as the hardware has it:
//
//   shared memory     bytes, with the 128-byte swizzle; copies write boxes of 64 columns, zero past the view; products
//                     read through the constants of their matrix descriptors (Layouts.h)
//   slots of a ring   two mbarriers each: full (one arrival and the copy's bytes; where threads copy, an arrival of
//                     each when its copies have landed) and empty (one lane of every consumer warp). A wait tests the
//                     parity of a phase, as the machine does
//   copies            (TMA, cp.async) land later, in any order; those to global memory read their shared tile at any
//                     time until they are waited for, or their warpgroup ends
//   products (wgmma)  run at any time between their issue and the wait for their group; until then nobody may read
//                     their accumulator, pack an A operand, or give back a slot that they read
//   mma_sync          reads its operands as ldmatrix does, by the addresses of lanes, and is done at once
//   registers         a tile is the values of each thread, by register; a row reduction without its quad reduction
//                     therefore gives a wrong number
//   named barriers    with counts of threads; turns are named barriers
//   warp.for_tiles    a few thread blocks share the programs, dealt in turn; the producer may be a program ahead
//
// Example: the kernel in `module`, whose launch `metadata` describes, on host memory, in 20 orders of events:
//
//   InterpreterOptions options{.schedule = InterpreterSchedule::Random};
//   for (options.seed = 0; options.seed < 20; ++options.seed)
//     if (auto ran = interpretWarp(kernel, metadata, arguments, options); !ran)
//       return takeError(ran);
//
// What it does not model: time, registers spilled or serialised by ptxas, memory ordering among the threads of one
// warpgroup (but for the one that issues copies to global memory), the rounding of the approximate functions (it uses
// the exact ones of <cmath>), and how programs come to a thread block: it passes their numbers through mailboxes of its
// own, while lower-warp writes a scheduler and one mailbox, which are below the dialect (tests/gpu runs them).
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "lacuna/Runtime/Arguments.h"
#include "lacuna/Runtime/LaunchMetadata.h"

#include <span>

namespace lacuna {

/// Who runs next, and when what is asynchronous happens. All are deterministic.
enum class InterpreterSchedule {
  Eager,  ///< copies land and products run as they are issued; warpgroups take turns, op by op
  Late,   ///< a warpgroup runs until it must wait; copies land when nobody can run, products at their wait
  Random, ///< everything at moments drawn from the seed
};

struct InterpreterOptions {
  InterpreterSchedule schedule = InterpreterSchedule::Late;
  uint64_t seed = 0;                     ///< Random only; every thread block draws its own numbers from it
  int64_t stepLimit = int64_t(50) << 20; ///< operations of one thread block; above, it is taken to run for ever
  int64_t persistentBlocks = 2;          ///< thread blocks that share the programs of a persistent kernel
};

/// What was executed, over all thread blocks.
struct InterpreterReport {
  int64_t threadBlocks = 0, operations = 0, copies = 0, copiedBytes = 0, products = 0;
  int64_t stores = 0; ///< boxes that left shared memory
};

/// Runs `kernel` over its whole grid, one thread block after another, on views of host memory. `kernel` need not pass
/// the verifier, so that faults can be planted behind its back; its types must be consistent.
///
/// Errors: as runtime::LaunchSignature::bind for the arguments; Unsupported for an op that the interpreter does not
/// know; ResourceExhausted over the step limit; VerifyError for a kernel that breaks a rule of the machine. The message
/// of a VerifyError names the thread block, the warpgroup and the op, `location` its place in the text; a deadlock has
/// a note for each warpgroup: what it waits for, with phases and counts. It is one of:
///   deadlock; double fill; a fill without acquiring; fills out of order; bytes of a fill that are not the sum of its
///   boxes; a read of a slot that was not waited for, has not landed or was given back; a slot given back twice, while
///   a product reads it, or never; a fill that is never consumed; an accumulator used in flight; an A operand packed in
///   flight; a product never waited for; shared memory written without fence_async or barrier before an asynchronous
///   read; a shared tile written while a copy may read it, or before a barrier has told of the wait; a copy at a
///   position that the machine refuses; a named barrier whose counts differ, that nobody waits at or that keeps
///   arrivals at the end; memory read or written outside a view or a list.
///
/// Thread safety: calls are independent; `kernel` must not change meanwhile.
Expected<InterpreterReport> interpretWarp(warp::FuncOp kernel, const runtime::LaunchMetadata &metadata,
                                          std::span<const runtime::ArgumentValue> arguments,
                                          const InterpreterOptions &options = {});

} // namespace lacuna
