// Processes that share a row of tasks: each takes the next one, does it, and sends back a line.
//
// Processes and not threads, so that one that crashes costs its task alone, and so that the CPU time of a task with its
// children (ptxas) is known: getrusage has that for a process only.
#pragma once

#include <functional>
#include <string>

namespace lacuna::schedules {

/// Does the tasks 0 to `count` - 1 in `jobs` processes. `warmUp` runs in each first; `work` returns a text without
/// newlines, which `take` gets in this process. Where a process dies `take` gets what `died` makes of the signal, and
/// another process goes on; a task that none could begin is never taken. There must be no other thread.
struct Crew {
  int jobs = 1;
  std::function<void()> warmUp;
  std::function<std::string(size_t task)> work;
  std::function<void(size_t task, const std::string &text)> take;
  std::function<std::string(int signal)> died;

  void run(size_t count) const;
};

/// CPU time of this process and the children it has waited for, milliseconds.
double cpuMilliseconds();

} // namespace lacuna::schedules
