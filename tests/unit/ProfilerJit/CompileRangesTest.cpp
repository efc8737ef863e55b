// The ranges that a profiler shows of compilations: each stage with the kernel and what is chosen of it.
#include "Jit/JitEnvironment.h"
#include "nvtx/Recorder.h"

#include <algorithm>

using namespace lacuna;

using Events = std::vector<std::string>;

namespace {

size_t countOf(const Events &events, std::string_view event) {
  return std::count(events.begin(), events.end(), event);
}

/// Where the range is that `event` ends, as the index of its beginning. All are of one thread.
size_t beginOf(const Events &events, size_t end) {
  int depth = 0;
  for (size_t index = end + 1; index-- > 0;) {
    depth += events[index] == "lacuna: -" ? 1 : -1;
    if (depth == 0)
      return index;
  }
  return events.size();
}

} // namespace

TEST_CASE("a compilation is a range with its kernel and params, and each stage is one in it") {
  JitEnvironment environment;
  Jit jit = environment.open();
  KernelSpec spec = environment.spec;
  spec.params = {{"D", "32"}, {"E", "2"}};
  recorder::takeEvents();
  REQUIRE(jit.compile(spec));
  const Events events = recorder::takeEvents();
  for (const char *stage :
       {"source", "ast", "tile", "tile.opt", "warp", "warp.opt", "llvm", "llvm.opt", "ptx", "cubin"}) {
    CAPTURE(stage);
    CHECK(countOf(events, fmt::format("lacuna: + {} scale D=32 E=2", stage)) == 1);
  }
  CHECK(countOf(events, "lacuna: + compile scale D=32 E=2") == 1);
  CHECK(countOf(events, "lacuna: + obtain scale D=32 E=2") == 1);
  CHECK(countOf(events, "lacuna: + tile-mask-tails") == 1); // and each pass
  CHECK(countOf(events, "lacuna: -") * 2 == events.size());

  // The outermost two: what the cache was asked for, with the compilation in it, and the load.
  REQUIRE(events.back() == "lacuna: -");
  const size_t load = beginOf(events, events.size() - 1);
  REQUIRE(load > 0);
  CHECK(events[load].starts_with("lacuna: + module load scale_D32_E2_"));
  CHECK(events[beginOf(events, load - 1)] == "lacuna: + obtain scale D=32 E=2");
}

TEST_CASE("a kernel that comes from disk is a range without a compilation; one from memory is none") {
  JitEnvironment environment;
  REQUIRE(environment.open().compile(environment.spec));
  Jit jit = environment.open();
  recorder::takeEvents();
  REQUIRE(jit.compile(environment.spec));
  const Events events = recorder::takeEvents();
  CHECK(countOf(events, "lacuna: + obtain scale") == 1);
  CHECK(std::count_if(events.begin(), events.end(),
                      [](const std::string &event) { return event.starts_with("lacuna: + cache get "); }) == 1);
  CHECK(countOf(events, "lacuna: + compile scale") == 0);
  REQUIRE(jit.compile(environment.spec));
  CHECK(recorder::takeEvents().empty());
}
