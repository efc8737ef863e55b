#include "Interrupt.h"

#include <atomic>
#include <cstddef>

namespace lacuna::tools {

/// All that a handler may touch is what every thread sees, so it cannot be a member.
static std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);

/// The first one counts: a reader that goes away behind a Ctrl-C changes nothing.
static void note(int signal) {
  int none = 0;
  received.compare_exchange_strong(none, signal);
}

Interrupt::Interrupt() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  for (size_t index = 0; index < kSignals.size(); ++index) {
    // A pipe without a reader says so at every write, which must not end what is being put in order.
    action.sa_flags = kSignals[index] == SIGPIPE ? SA_RESTART : SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(kSignals[index], nullptr, &before[index]);
    if (before[index].sa_handler != SIG_IGN) // As under nohup.
      sigaction(kSignals[index], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (size_t index = 0; index < kSignals.size(); ++index)
    if (kSignals[index] != SIGPIPE || received == 0) // What stdio holds for a lost reader is tried again at the exit.
      sigaction(kSignals[index], &before[index], nullptr);
}

int Interrupt::signal() {
  return received;
}

} // namespace lacuna::tools
