// Hooks in two forms: the text that the compiler gets, and the same in C++ for the reference.
#pragma once

#include "lacuna/Runtime/AttentionShape.h"

#include <functional>
#include <map>
#include <span>
#include <string>

namespace lacuna::numeric {

/// A `keep` hook. Where `body` is empty, the kernel's own stays: every key is seen.
struct MaskHook {
  const char *name;
  std::string body;
  std::map<std::string, std::string> params; ///< of the library hooks that the body names
  std::function<bool(const runtime::AttentionShape &, int64_t b, int64_t h, int64_t i, int64_t j)> keeps;
};

/// A `score` hook, likewise.
struct ScoreHook {
  const char *name;
  std::string body;
  std::map<std::string, std::string> params;
  std::function<double(const runtime::AttentionShape &, double s, int64_t b, int64_t h, int64_t i, int64_t j)> score;
};

/// The first is "none".
std::span<const MaskHook> maskHooks();
std::span<const ScoreHook> scoreHooks();

} // namespace lacuna::numeric
