//===- ThreadPool.h - Runs a range of indices on all cores ------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_THREADPOOL_H
#define LACUNA_RUNTIME_THREADPOOL_H

#include <cstdint>
#include <memory>
#include <type_traits>

namespace lacuna::runtime {

/// A fixed set of threads. Thread safety: parallelFor may be called from any thread, one call running at a time (others
/// wait); from inside a running call it runs the nested range in the calling thread.
class ThreadPool {
public:
  /// `threads` in all, the caller of parallelFor among them; 0 takes LACUNA_THREADS, and where that is 0 too, every
  /// processor that this process may use. Where the system refuses some, half of those that could be had are
  /// kept, so that the work finds room: threads() says how many.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const;

  /// Calls body(i) for each i in [0, count), in no particular order, and returns when all are done. The indices are
  /// handed out one by one, so uneven work balances itself. `body` must not throw.
  template <class Body> void parallelFor(int64_t count, Body &&body) {
    using Plain = std::remove_reference_t<Body>;
    run(
        count, [](void *context, int64_t index) { (*static_cast<Plain *>(context))(index); },
        const_cast<void *>(static_cast<const void *>(&body)));
  }

private:
  using Call = void (*)(void *context, int64_t index);
  void run(int64_t count, Call call, void *context);

  struct State;
  std::unique_ptr<State> state;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_THREADPOOL_H
