#include "lacuna/Runtime/ThreadPool.h"
#include "lacuna/Runtime/Knobs.h"
#include "lacuna/Runtime/StartThreads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <sched.h>
#include <thread>
#include <vector>

namespace lacuna::runtime {

/// Workers sleep until `generation` moves, then take indices until none is left. The caller of run() works too and
/// waits for the workers that joined in.
struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::mutex callers; ///< held for the length of one parallelFor

  std::mutex mutex;
  std::condition_variable wake, idle;
  uint64_t generation = 0;
  int busy = 0;
  bool stop = false;

  Call call = nullptr;
  void *context = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next = 0;

  void takeIndices() {
    for (int64_t index = next.fetch_add(1, std::memory_order_relaxed); index < count;
         index = next.fetch_add(1, std::memory_order_relaxed))
      call(context, index);
  }

  void work();
  /// Ends the workers. Others may be started after it.
  void end();
};

namespace {

/// The pool whose range this thread is working on, to notice a nested parallelFor.
thread_local const void *currentPool = nullptr;

constexpr int kMaxThreads = 1024;

int availableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

} // namespace

void ThreadPool::State::work() {
  currentPool = this;
  uint64_t seen = 0;
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [&] { return stop || generation != seen; });
    if (stop)
      return;
    seen = generation;
    ++busy;
    lock.unlock();
    takeIndices();
    lock.lock();
    if (--busy == 0)
      idle.notify_all();
  }
}

void ThreadPool::State::end() {
  {
    std::lock_guard lock(mutex);
    stop = true;
  }
  wake.notify_all();
  for (std::thread &worker : workers)
    worker.join();
  workers.clear();
  stop = false;
}

ThreadPool::ThreadPool(int threads) : state(std::make_unique<State>()) {
  if (threads <= 0) {
    Expected<Knobs> knobs = Knobs::fromEnvironment();
    threads = knobs ? knobs->threads : 0;
  }
  if (threads <= 0)
    threads = availableProcessors();
  threads = std::min(threads, kMaxThreads);
  const auto wanted = static_cast<size_t>(threads - 1);
  state->workers = startThreads(wanted, [state = state.get()] { state->work(); });
  if (const size_t had = state->workers.size(); had < wanted) { // At the limit: half goes back, for the work itself.
    state->end();
    state->workers = startThreads(had / 2, [state = state.get()] { state->work(); });
  }
}

ThreadPool::~ThreadPool() {
  state->end();
}

int ThreadPool::threads() const {
  return static_cast<int>(state->workers.size()) + 1;
}

void ThreadPool::run(int64_t count, Call call, void *context) {
  if (currentPool == state.get() || state->workers.empty() || count <= 1) {
    for (int64_t index = 0; index < count; ++index)
      call(context, index);
    return;
  }
  std::lock_guard oneCaller(state->callers);
  {
    std::unique_lock lock(state->mutex);
    // A worker that woke late for the previous range may still be finding out that nothing is left of it.
    state->idle.wait(lock, [&] { return state->busy == 0; });
    state->call = call;
    state->context = context;
    state->count = count;
    state->next.store(0, std::memory_order_relaxed);
    ++state->generation;
  }
  state->wake.notify_all();
  const void *outer = std::exchange(currentPool, state.get());
  state->takeIndices();
  currentPool = outer;
  std::unique_lock lock(state->mutex);
  state->idle.wait(lock, [&] { return state->busy == 0; });
}

} // namespace lacuna::runtime
