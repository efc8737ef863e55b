#include "Scheduler.h"

namespace lacuna::interpreter {

Scheduler::Scheduler(const Launch &launch, std::array<int64_t, 3> position, const InterpreterOptions &options,
                     InterpreterReport &report)
    : block(launch, position), options(options), report(report),
      random(options.seed, static_cast<uint64_t>(report.threadBlocks)), stepsLeft(options.stepLimit) {
  for (int64_t number = 0; number <= launch.consumers; ++number)
    agents.push_back({std::make_unique<Agent>(block, number, report)});
}

std::string Scheduler::place() const {
  return fmt::format("thread block ({}, {}, {})", block.position[0], block.position[1], block.position[2]);
}

void Scheduler::wakeAll() {
  for (Entry &entry : agents)
    entry.blocked = false;
}

bool Scheduler::allDone() const {
  return llvm::all_of(agents, [](const Entry &entry) { return entry.done; });
}

bool Scheduler::canRun() const {
  return llvm::any_of(agents, [](const Entry &entry) { return !entry.done && !entry.blocked; });
}

Expected<void> Scheduler::land(size_t copy) {
  wakeAll();
  Expected<void> done = block.land(copy, report);
  if (!done)
    done.error().message = fmt::format("{}: {}", place(), done.error().message);
  return done;
}

Expected<void> Scheduler::runAgent(Entry &entry, int64_t most) {
  for (int64_t count = 0; count < most; ++count) {
    Expected<Agent::Status> status = entry.agent->step();
    if (!status)
      return tl::unexpected(entry.agent->explain(std::move(status.error())));
    if (*status == Agent::Status::Blocked) {
      entry.blocked = true;
      return {};
    }
    wakeAll();
    if (*status == Agent::Status::Done) {
      entry.done = true;
      return {};
    }
    if (--stepsLeft <= 0)
      return makeError(ErrorCode::ResourceExhausted,
                       "{} has executed {} operations and has not ended; raise the step limit if it should go on",
                       place(), options.stepLimit);
    if (options.schedule == InterpreterSchedule::Eager) {
      while (!block.copies.empty())
        if (Expected<void> done = land(0); !done)
          return done;
      while (entry.agent->runOldestProduct() || entry.agent->runOldestStore())
        ;
    }
  }
  return {};
}

/// Every agent once: an op each, or until it must wait.
Expected<void> Scheduler::round() {
  const int64_t most = options.schedule == InterpreterSchedule::Eager ? 1 : options.stepLimit;
  for (Entry &entry : agents)
    if (!entry.done && !entry.blocked)
      if (Expected<void> done = runAgent(entry, most); !done)
        return done;
  return {};
}

/// A copy lands or leaves, a product runs, or an agent goes on for a short or a long while.
Expected<void> Scheduler::randomEvent() {
  constexpr uint64_t kEvents = 16, kLandings = 3, kProducts = 2, kStores = 1;
  const uint64_t event = random.below(kEvents);
  if (event < kLandings && !block.copies.empty())
    return land(random.below(block.copies.size()));
  Entry &entry = agents[random.below(agents.size())];
  if (event < kLandings + kProducts) {
    entry.agent->runOldestProduct();
    return {};
  }
  if (event < kLandings + kProducts + kStores) {
    entry.agent->runOldestStore();
    return {};
  }
  if (entry.done || entry.blocked)
    return {};
  return runAgent(entry, int64_t(1) << random.below(8));
}

Error Scheduler::deadlock() const {
  Error fault{ErrorCode::VerifyError, fmt::format("{}: deadlock: nobody can go on, and no copy is under way", place())};
  for (const Entry &entry : agents)
    fault.notes.push_back(entry.done ? fmt::format("{} has ended", entry.agent->name()) : entry.agent->describeWait());
  return fault;
}

Expected<void> Scheduler::run() {
  while (!allDone()) {
    Expected<void> done;
    if (!canRun()) {
      if (block.copies.empty())
        return tl::unexpected(deadlock());
      done = land(options.schedule == InterpreterSchedule::Random ? random.below(block.copies.size()) : 0);
    } else {
      done = options.schedule == InterpreterSchedule::Random ? randomEvent() : round();
    }
    if (!done)
      return done;
  }
  const bool turns =
      block.launch.kernel->walk([](warp::TurnWaitOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
  Expected<void> end = block.checkEnd(turns);
  if (!end)
    end.error().message = fmt::format("{}: {}", place(), end.error().message);
  return end;
}

} // namespace lacuna::interpreter
