// lacuna-cache-worker DIRECTORY LOG KEYS SEED [BYTES [PAUSE_US]]
//
// A process that uses the cache: asks for the keys 0 to KEYS-1 in an order by SEED, checks what it gets, and appends
// the number of each that it had to make to LOG. Where there is no cache to be had it says so as the JIT does, and goes
// on. Exit status 0: every entry was right; 3: one was not.
#include "Runtime/CacheSamples.h"

#include "lacuna/Runtime/DiskCache.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;

int main(int argc, char **argv) {
  if (argc < 5)
    return 2;
  const int count = std::atoi(argv[3]);
  const size_t bytes = argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 3000;
  const std::chrono::microseconds pause(argc > 6 ? std::atoi(argv[6]) : 2000);
  int log = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  Expected<DiskCache> cache = DiskCache::open(argv[1], {});
  if (!cache)
    runtime::log("cache", LogLevel::Warn, "compiled kernels are kept in memory only: {}", cache.error().message);

  std::vector<int> keys(static_cast<size_t>(count));
  std::iota(keys.begin(), keys.end(), 0);
  std::ranges::shuffle(keys, std::mt19937(static_cast<unsigned>(std::atoi(argv[4]))));
  for (int key : keys) {
    auto make = [&]() -> Expected<CacheEntry> {
      std::this_thread::sleep_for(pause);
      std::string line = fmt::format("{}\n", key);
      (void)!::syscall(SYS_write, log, line.data(), line.size()); // past the library of faults
      return sampleEntry(key, bytes);
    };
    Expected<CacheEntry> entry = cache ? cache->obtain(sampleKey(key), make).map([](ObtainedEntry &&obtained) {
      return std::move(obtained.entry);
    })
                                       : make();
    if (!entry || *entry != sampleEntry(key, bytes)) {
      fmt::print(stderr, "key {}: not what it should be\n", key);
      return 3;
    }
  }
  return 0;
}
