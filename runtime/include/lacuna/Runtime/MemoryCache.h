//===- MemoryCache.h - One making for many askers ---------------*- C++ -*-===//
//
// A table of values by key in which each value is made once, however many threads ask for it at the same time: the
// first makes it, the others wait for that.
//
//   MemoryCache<Kernel> kernels;
//   auto kernel = kernels.obtain(bytes, [&]() -> Expected<std::shared_ptr<const Kernel>> { return load(); });
//
// A failure goes to all that wait and is then forgotten: who asks later tries again. Values stay until forget(), or
// until the table goes.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_MEMORYCACHE_H
#define LACUNA_RUNTIME_MEMORYCACHE_H

#include "lacuna/Runtime/Error.h"
#include "lacuna/Runtime/Hash.h"

#include <future>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lacuna::runtime {

/// Thread safety: every call, from any thread. `make` runs outside of every lock; it must not ask for its own key.
template <class Value> class MemoryCache {
public:
  using Made = Expected<std::shared_ptr<Value>>;

  /// The value of `key`, made by `make` where there is none yet. `found`, if given, says whether it was made for an
  /// earlier or another asker. Errors: those of `make`.
  template <class Make> Made obtain(std::string_view key, Make &&make, bool *found = nullptr) {
    if (found)
      *found = true;
    {
      std::shared_lock lock(mutex);
      if (auto known = values.find(key); known != values.end())
        return wait(known->second, lock);
    }
    std::promise<Made> promise;
    {
      std::unique_lock lock(mutex);
      auto [slot, isNew] = values.try_emplace(std::string(key));
      if (!isNew)
        return wait(slot->second, lock);
      slot->second = promise.get_future().share();
    }
    if (found)
      *found = false;
    try {
      Made made = make();
      if (!made)
        forget(key);
      promise.set_value(made);
      return made;
    } catch (...) { // The machine's memory: those that wait must not wait for ever.
      forget(key);
      promise.set_exception(std::current_exception());
      throw;
    }
  }

  /// The value of `key` if it was made or is being made, which is waited for; else null.
  std::shared_ptr<Value> find(std::string_view key) {
    std::shared_lock lock(mutex);
    auto known = values.find(key);
    if (known == values.end())
      return nullptr;
    Made made = wait(known->second, lock);
    return made ? std::move(*made) : nullptr;
  }

  /// Who asks next makes it anew.
  void forget(std::string_view key) {
    std::unique_lock lock(mutex);
    if (auto known = values.find(key); known != values.end())
      values.erase(known);
  }

private:
  using Future = std::shared_future<Made>;
  // NOLINTNEXTLINE(performance-unnecessary-value-param): without the lock, the entry may go; the copy stays.
  template <class Lock> static Made wait(Future future, Lock &lock) {
    lock.unlock();
    return future.get();
  }

  std::shared_mutex mutex;
  std::unordered_map<std::string, Future, StringHash, std::equal_to<>> values;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_MEMORYCACHE_H
