// Runs the agents of one thread block until all have ended: chooses who goes on, when a copy lands and when a product
// runs.
#pragma once

#include "Agent.h"

#include "lacuna/Runtime/Random.h"

#include <memory>

namespace lacuna::interpreter {

class Scheduler {
public:
  Scheduler(const Launch &launch, std::array<int64_t, 3> position, const InterpreterOptions &options,
            InterpreterReport &report);
  /// Errors: as interpretWarp.
  Expected<void> run();

private:
  struct Entry {
    std::unique_ptr<Agent> agent;
    bool done = false, blocked = false;
  };
  /// Up to `most` ops of one agent.
  Expected<void> runAgent(Entry &entry, int64_t most);
  Expected<void> land(size_t copy);
  /// Something happened that a blocked agent may have waited for.
  void wakeAll();
  bool allDone() const;
  bool canRun() const;
  Expected<void> round();
  Expected<void> randomEvent();
  Error deadlock() const;
  std::string place() const;

  ThreadBlock block;
  const InterpreterOptions &options;
  InterpreterReport &report;
  std::vector<Entry> agents;
  runtime::SplitMix64 random;
  int64_t stepsLeft;
};

} // namespace lacuna::interpreter
