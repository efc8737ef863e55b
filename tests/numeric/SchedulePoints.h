// Every schedule that the tuner may choose: the points of the library's `tune` entries, for head dimensions, types,
// lists, masks, scores and patterns that stand for all others, judged as the tuner judges them.
//
// A variant is a kernel with everything fixed but its knobs; a point gives these values. The points of all variants are
// numbered in one row, legal or not; ScheduleSpace::judge says which of them the tuner would compile:
//
//   auto space = ScheduleSpace::create("kernels_dsl");
//   for (int64_t index : space->choose({.sample = 40}, threads))
//     run(space->kernel(index));
//
// What the tuner compiles and then rejects, for spills or advisories (Tuning.h, rejectionOf), is still among them.
#pragma once

#include "Hooks.h"
#include "lacuna/Autotune/Pruner.h"
#include "lacuna/Jit/Jit.h"

#include <memory>
#include <mutex>

namespace lacuna::numeric {

struct ScheduleVariant {
  std::string file;         ///< in the kernel folder
  std::string kernel;       ///< one of the file's
  autotune::Settings fixed; ///< params that are no knobs, and the hooks' own
  const MaskHook *mask = nullptr;
  const ScoreHook *score = nullptr;
  std::string rows = {};       ///< a pattern in place of the lists
  std::string activation = {}; ///< of a matrix product

  std::map<std::string, std::string> hooks() const;
  /// All of it in one line.
  std::string text() const;
};

/// The variants of every kernel with a `tune` entry.
std::vector<ScheduleVariant> scheduleVariants();

/// Which points of a space.
struct ScheduleChoice {
  int64_t sample = 0;          ///< so many, which cover as many pairs of values as they can; 0: all
  uint64_t seed = 1;           ///< another one, another sample
  int64_t part = 1, parts = 1; ///< without `sample`: part 1, 2, ... of so many
  bool defaults = false;       ///< only what runs where nothing was measured
  std::string only = {};       ///< points whose text has each of these words, as in "attention_forward D=64 stages=2"

  /// "all", "defaults", a number (a sample), or "PART/PARTS". Errors: InvalidArgument.
  static Expected<ScheduleChoice> parse(const std::string &text);
};

/// Thread safety: every member may be called by several threads.
class ScheduleSpace {
public:
  /// Errors: as readTextFile and describeForTuning.
  static Expected<ScheduleSpace> create(const std::string &kernelFolder);

  const std::vector<ScheduleVariant> &variants() const { return all; }
  /// Points of all variants, legal or not.
  int64_t size() const { return total; }
  const ScheduleVariant &variantOf(int64_t index) const { return all[place(index).first]; }
  autotune::Point pointOf(int64_t index) const;
  /// Whether it is what the variant runs with where nothing was measured: the kernel's own defaults, or for attention
  /// the tile that the library takes for these lists or this mask.
  bool isDefault(int64_t index) const;
  /// Variant and point in one line.
  std::string textOf(int64_t index) const;

  /// For Machine::compile.
  KernelSpec kernel(int64_t index) const;
  /// The same for the compiler, with the text.
  CompileRequest request(int64_t index) const;

  /// Why the tuner does not compile this point; nothing: it does. The best prediction of a variant is not sought: a
  /// point is dropped where it is far below the preset, so that what remains may be more than the tuner tries.
  std::optional<autotune::Drop> judge(Compiler &compiler, int64_t index) const;
  /// The numbers of the points of `choice` that judge() leaves, ascending for all or a part.
  std::vector<int64_t> choose(const ScheduleChoice &choice, size_t threads) const;

private:
  struct Entry;
  ScheduleSpace() = default;
  std::pair<size_t, int64_t> place(int64_t index) const;
  std::vector<bool> judgeAll(const std::vector<int64_t> &indices, size_t threads) const;
  double presetFraction(Compiler &compiler, size_t variant) const;
  CompileRequest request(size_t variant, const autotune::Point &point) const;

  std::vector<ScheduleVariant> all;
  std::vector<std::shared_ptr<Entry>> entries; ///< of the variants
  std::vector<int64_t> begins;                 ///< the number of each variant's first point
  std::map<std::string, std::string> texts;    ///< of the files
  int64_t total = 0;
};

} // namespace lacuna::numeric
