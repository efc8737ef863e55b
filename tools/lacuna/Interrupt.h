//===- Interrupt.h - Ending in order when asked to --------------*- C++ -*-===//
//
// Ctrl-C, a request to terminate, a terminal or a reader that went away: while an Interrupt lives, the first of these
// signals is only noted, so that work may keep what it has and clean up behind itself. The second one ends the process.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_INTERRUPT_H
#define LACUNA_TOOLS_INTERRUPT_H

#include <csignal>

#include <array>

namespace lacuna::tools {

/// Thread safety: made and ended by one thread, one at a time; signal() by any.
class Interrupt {
public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  /// The signal that came; 0: none.
  static int signal();

private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  std::array<struct sigaction, kSignals.size()> before;
};

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_INTERRUPT_H
