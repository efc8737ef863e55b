//===- ProfilerRange.h - Ranges that a profiler shows ----------*- C++ -*-===//
//
// Where a profiler is attached (nsys, ncu, anything that NVTX loads by NVTX_INJECTION64_PATH), what this thread does is
// a range of its timeline, in the domain "lacuna":
//
//   ProfilerRange range("module load", symbol);   // from here to the end of the scope: "module load attention_…"
//
// What runs often names itself once, so that the profiler need not copy the text each time:
//
//   RangeName name("launch", symbol);
//   ProfilerRange range(name);                     // without a profiler: one test
//
// A TraceSpan is a ProfilerRange, too. Whether a profiler is attached is found out at the first range of the process;
// each library that holds a copy of this runtime finds out for itself.
//
// This header needs nothing of NVTX. Where a build found no nvtx3/nvToolsExt.h, no profiler is ever attached.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_PROFILERRANGE_H
#define LACUNA_RUNTIME_PROFILERRANGE_H

#include <string_view>

namespace lacuna::runtime {

/// Whether this build can make ranges at all.
bool profilerRangesBuilt();

/// Whether a profiler hears the ranges of this process. Thread safety: any thread.
bool profilerAttached();

/// The name of a range that is made many times. Thread safety: any thread; copies are the same name.
class RangeName {
public:
  /// "VERB TEXT", or "VERB" where `text` is empty.
  explicit RangeName(std::string_view verb, std::string_view text = {});

private:
  friend class ProfilerRange;
  const void *registered = nullptr; ///< null: nobody hears it
};

/// Thread safety: lives and dies in one thread; ranges of a thread end in the reverse order of their beginning.
class ProfilerRange {
public:
  explicit ProfilerRange(std::string_view verb, std::string_view text = {}) : open(profilerAttached()) {
    begin(verb, text);
  }
  explicit ProfilerRange(const RangeName &name) : open(name.registered != nullptr) {
    if (open) [[unlikely]]
      begin(name);
  }
  ~ProfilerRange() {
    if (open) [[unlikely]]
      end();
  }
  ProfilerRange(const ProfilerRange &) = delete;
  ProfilerRange &operator=(const ProfilerRange &) = delete;

  /// The two ends by themselves; nothing happens without a profiler. Each begin needs its end, in the same thread.
  static void begin(std::string_view verb, std::string_view text = {});
  static void begin(const RangeName &name);
  static void end();

private:
  bool open;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_PROFILERRANGE_H
