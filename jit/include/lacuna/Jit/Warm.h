// Kernels made ready before they are asked for, so that no request waits for a compiler.
//
//   auto list = lacuna::readWarmList("kernels.list");            // or requests of one's own
//   auto report = jit.warm(*list);
//   if (auto ready = report.check(); !ready)                     // names every kernel that is not there
//     return ready;
//
// A server with LACUNA_JIT=off does this as it starts, from a cache that `lacuna warm` has filled (docs/serving.md).
//
// A list is a text with one request a line; `#` begins a comment:
//
//   attention_forward D=64,128 T=bf16 hook.keep=causal hook.rows=causal
//   kernels/mine.tile kernel=scores BM=64 "hook.score=s * 2" scalars=any
//   {"file": "kernels/mine.tile", "kernel": "scores", "params": {"BM": 64}, "hooks": {"score": "s * 2"}}
//
// The first word is a kernel text of the library, or a file that ends in .tile, relative to the list's folder. Then, in
// any order: NAME=VALUE a param, several values with commas between them (each combination is a request);
// hook.NAME=BODY a hook, or a pattern in the place of a block list; kernel=NAME where the text has several; target=
// sm_90a, sm_80 or cpu: only on a Jit of that target; scalars=any: also the variant for float32 scalars that are not
// above zero; param.NAME=VALUE a param that has one of these names. A word with blanks stands in double or single
// quotes.
// A line that begins with { is a JSON object: library or file, kernel, params, hooks, target, scalars.
#pragma once

#include "lacuna/Jit/Jit.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna {

struct WarmRequest {
  KernelSpec spec = {};
  bool anyScalars = false;           ///< also the variant for float32 scalars that are not above zero
  std::optional<Target> target = {}; ///< nothing: that of the Jit; one for another target is left out
  std::string place = {};            ///< "kernels.list:3", for messages; may be empty
};

enum class WarmState {
  Cached,   ///< it was in memory or on disk
  Compiled, ///< now
  Missing,  ///< not in the cache, and not to be compiled
  Failed,
};
/// "in cache", "compiled", "missing", "failed".
std::string_view warmStateName(WarmState state);

/// What became of a request. Thread safety: a plain value.
struct WarmedKernel {
  WarmRequest request;
  std::string title; ///< "attention_forward (D = 128; keep = causal)"
  WarmState state = WarmState::Failed;
  double milliseconds = 0;
  std::optional<JitKernel> kernel = {}; ///< there unless missing, failed or only looked for
  std::optional<Error> error = {};      ///< why it is missing or failed
};

struct WarmOptions {
  int jobs = 0;          ///< so many side by side; 0, or more than there are processors: as many as these
  bool onlyLook = false; ///< says what is there; nothing is compiled or loaded
  /// Hears of each kernel as it is done; called by one thread at a time. May be empty. What it throws, or a listener,
  /// ends the warming, and leaves it once all that was begun is done.
  std::function<void(const WarmedKernel &)> progress = {};
};

struct WarmReport {
  std::vector<WarmedKernel> kernels; ///< in the order of the requests
  double milliseconds = 0;           ///< from begin to end

  size_t count(WarmState state) const;
  /// Errors: that of the first kernel that is missing or failed, the others as notes, so that all are named.
  Expected<void> check() const;
};

/// Reads a list. Errors: InvalidArgument, with every mistake as `name:line: error: sentence`, a line each.
Expected<std::vector<WarmRequest>> parseWarmList(std::string_view name, std::string_view text);
/// The same from a file. Errors: as readTextFile and parseWarmList.
Expected<std::vector<WarmRequest>> readWarmList(const std::string &path);

/// A list in which each request asks for what the compiler does not know is wrong: runs the front end over each.
/// Errors: that of the only mistake, by its code; of several InvalidArgument, with each behind its place.
Expected<void> checkWarmRequests(const Jit &jit, std::span<const WarmRequest> requests);

/// Every kernel of the library, with its defaults (on a tuned machine, with what was measured there). Each value of
/// `headDims` and `dtypes` that a kernel's params D and T take is a request; empty: the default alone.
std::vector<WarmRequest> libraryRequests(std::span<const int64_t> headDims = {},
                                         std::span<const std::string> dtypes = {});

} // namespace lacuna
