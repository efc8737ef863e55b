#include "lacuna/Runtime/MemoryCache.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

using namespace lacuna;
using namespace lacuna::runtime;

using Numbers = MemoryCache<const int>;

TEST_CASE("each value is made once, however many ask") {
  Numbers numbers;
  std::atomic<int> made{0}, found{0}, right{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] {
      for (int key = 0; key < 50; ++key) {
        bool wasThere = false;
        auto value = numbers.obtain(
            std::to_string(key),
            [&]() -> Numbers::Made {
              ++made;
              std::this_thread::yield();
              return std::make_shared<const int>(key);
            },
            &wasThere);
        right += value && **value == key;
        found += wasThere;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(made == 50);
  CHECK(found == 7 * 50);
  CHECK(right == 8 * 50);
}

TEST_CASE("a failure is told and forgotten") {
  Numbers numbers;
  auto fail = []() -> Numbers::Made { return makeError(ErrorCode::CompileFailed, "no"); };
  auto succeed = []() -> Numbers::Made { return std::make_shared<const int>(7); };
  CHECK(numbers.obtain("a", fail).error().message == "no");
  CHECK(**numbers.obtain("a", succeed) == 7);
  CHECK(**numbers.obtain("a", fail) == 7);
  numbers.forget("a");
  CHECK(!numbers.obtain("a", fail));
}

TEST_CASE("an exception goes to all that wait, and the key can be asked for again") {
  Numbers numbers;
  std::atomic<int> thrown{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      try {
        (void)numbers.obtain("a", []() -> Numbers::Made {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          throw std::bad_alloc();
        });
      } catch (const std::bad_alloc &) {
        ++thrown;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(thrown == 4);
  CHECK(numbers.obtain("a", []() -> Numbers::Made { return std::make_shared<const int>(1); }));
}
