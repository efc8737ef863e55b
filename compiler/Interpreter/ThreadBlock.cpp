#include "ThreadBlock.h"

namespace lacuna::interpreter {

Launch::Launch(warp::FuncOp kernel, const runtime::LaunchMetadata &metadata, const runtime::LaunchBounds &bounds,
               std::span<const runtime::ArgumentValue> arguments)
    : kernel(kernel), arguments(arguments), views(arguments.size()) {
  for (size_t dim = 0; dim < metadata.dims.size(); ++dim)
    dims[metadata.dims[dim]] = static_cast<int32_t>(bounds.dims[dim]);
  for (size_t index = 0; index < arguments.size(); ++index)
    if (const auto *view = std::get_if<runtime::TensorView>(&arguments[index]))
      views[index].emplace(*view);
  kernel.walk([&](warp::RoleOp role) {
    if (role.getKind() == warp::RoleKind::Consumer)
      consumers = static_cast<int64_t>(role.getWarpgroups());
  });
  kernel.walk([&](warp::ForTilesOp op) { tiles = op; });
  width = bounds.grid[0], height = bounds.grid[1], programs = bounds.programs();
}

ThreadBlock::ThreadBlock(const Launch &launch, std::array<int64_t, 3> position) : launch(launch), position(position) {
  constexpr int64_t kSwizzlePeriod = 1024;
  int64_t offset = 0;
  const warp::Machine &machine = warp::machineOf(launch.kernel);
  launch.kernel->walk([&](warp::RingCreateOp op) {
    warp::RingType type = op.getRing().getType();
    ringOf[op] = rings.size();
    rings.emplace_back(RingShape{op.getName().str(), type.getDepth(), type.getRows(), type.getColumns(),
                                 type.getElementType().isBF16(), type.getSlotBytes()},
                       offset, launch.consumers, machine.copyEngine ? 0 : machine.producerThreads);
    offset += static_cast<int64_t>(llvm::alignTo(type.getDepth() * type.getSlotBytes(), kSwizzlePeriod));
  });
  launch.kernel->walk([&](warp::SmemCreateOp op) {
    sharedTileOf[op] = offset;
    offset += static_cast<int64_t>(llvm::alignTo(op.getSmem().getType().getBytes(), kSwizzlePeriod));
  });
  reduceScratch = offset;
  mailboxWords = reduceScratch + 16 * launch.consumers;
  memory = SharedMemory(mailboxWords + 8);
  for (Mailbox &mailbox : mailboxes)
    mailbox.empty = Mbarrier(4 * launch.consumers);
}

Expected<void> ThreadBlock::land(size_t index, InterpreterReport &report) {
  Copy copy = std::move(copies[index]);
  copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(index));
  copy.box.copyTo(memory.bytes());
  memory.overwriteAsync(copy.box.offset, copy.box.bytes());
  ++report.copies;
  report.copiedBytes += copy.box.bytes();
  return rings[copy.ring].land(copy.fill, copy.box.bytes());
}

Expected<void> ThreadBlock::checkEnd(bool turns) const {
  for (const Ring &ring : rings)
    if (Expected<void> done = ring.checkEnd(); !done)
      return done;
  for (size_t id = 0; id < named.size(); ++id) {
    // The turn that the last warpgroup passes to the first is never taken.
    const bool lastTurn = turns && id == static_cast<size_t>(warp::kFirstTurnBarrier) &&
                          named[id].arrivedThreads() == warp::kWarpgroupThreads;
    if (named[id].arrivedThreads() != 0 && !lastTurn)
      return makeError(ErrorCode::VerifyError, "named barrier {} keeps arrivals at the end: {}{}", id,
                       named[id].describe(), turns ? "; the warpgroups took unequally many turns" : "");
  }
  if (turns && named[warp::kFirstTurnBarrier].arrivedThreads() == 0)
    return makeError(ErrorCode::VerifyError, "the last warpgroup keeps a turn that it never passes on");
  return {};
}

} // namespace lacuna::interpreter
