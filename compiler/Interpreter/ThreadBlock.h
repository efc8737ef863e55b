// What the agents of one thread block share: shared memory with its rings, named barriers, copies under way, and the
// launch. KernelLowering lays shared memory out in the same way.
#pragma once

#include "GlobalMemory.h"
#include "Ring.h"
#include "SharedMemory.h"
#include "lacuna/Compiler/Interpreter/Interpreter.h"
#include "lacuna/Runtime/LaunchSignature.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <deque>
#include <optional>

namespace lacuna::interpreter {

/// The arguments of the launch, as the kernel's ops ask for them.
struct Launch {
  warp::FuncOp kernel;
  std::span<const runtime::ArgumentValue> arguments;
  llvm::StringMap<int32_t> dims;
  std::vector<std::optional<View>> views; // by argument
  int64_t consumers = 0;                  // warpgroups
  /// Of a persistent kernel (warp.for_tiles): the grid of its programs, and how many thread blocks share them.
  warp::ForTilesOp tiles;
  int64_t width = 1, height = 1, programs = 1, threadBlocks = 1;

  Launch(warp::FuncOp kernel, const runtime::LaunchMetadata &metadata, const runtime::LaunchBounds &bounds,
         std::span<const runtime::ArgumentValue> arguments);
};

/// A box under way into fill `fill` of `ring`.
struct Copy {
  size_t ring = 0;
  int64_t fill = 0;
  Box box;
};

inline constexpr int64_t kNamedBarriers = 16;

/// Where the producer of a persistent kernel leaves the number of the next program; there are two.
struct Mailbox {
  Mbarrier full{1}, empty;
};

struct ThreadBlock {
  ThreadBlock(const Launch &launch, std::array<int64_t, 3> position);

  /// Lets copy `index` land. Errors: as Ring::land.
  Expected<void> land(size_t index, InterpreterReport &report);
  /// What is left over when all agents have ended. `turns`: whether they took turns. Errors: VerifyError.
  Expected<void> checkEnd(bool turns) const;

  const Launch &launch;
  std::array<int64_t, 3> position;
  std::vector<Ring> rings;
  llvm::DenseMap<mlir::Operation *, size_t> ringOf;        // by warp.ring_create
  llvm::DenseMap<mlir::Operation *, int64_t> sharedTileOf; // bytes from the start, by warp.smem_create
  SharedMemory memory{0};
  int64_t reduceScratch = 0; // bytes from the start: a float32 for each consumer warp
  std::array<NamedBarrier, kNamedBarriers> named;
  std::deque<Copy> copies;
  std::array<Mailbox, 2> mailboxes;
  int64_t mailboxWords = 0; // bytes from the start: an i32 each
};

} // namespace lacuna::interpreter
