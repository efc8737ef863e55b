//===- Pruner.h - Points that are not worth compiling -----------*- C++ -*-===//
//
// Before anything is compiled, each point is analysed: the front end and the passes on IR run (some 0.1 s), and say
// what the kernel would need and what it could reach at most. The pruner drops points by that, each with a reason.
//
//   constraint      a constraint of the text, or the condition of its `tune` entry, does not hold
//   shared memory   more than a thread block of this machine may have
//   registers       accumulators and operands alone exceed what a thread has
//   refused         the compiler cannot follow this point
//   cost model      the highest rate it could reach is far below that of another point
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_PRUNER_H
#define LACUNA_AUTOTUNE_PRUNER_H

#include "lacuna/Autotune/KernelDescription.h"

#include <optional>
#include <span>

namespace lacuna::autotune {

/// What is known of a point without code generation.
struct Facts {
  int64_t sharedBytes = 0;      ///< of a thread block
  int64_t registersNeeded = 0;  ///< a thread: accumulators and operands in registers, so a lower bound
  int64_t registersPresent = 0; ///< a thread of a consumer; 0: not known
  double predictedFraction = 0; ///< of the machine's peak, an upper limit; 0: nothing is predicted
  double stepWork = 0;          ///< cycles of products a step: the larger, the less its fixed costs weigh
  std::string boundBy = {};

  bool registersFit() const { return registersPresent == 0 || registersNeeded <= registersPresent; }
};

struct Drop {
  std::string kind; ///< one of the words above
  std::string reason;
};

/// Thread safety: immutable; any number of threads.
class Pruner {
public:
  /// A point whose predicted fraction is below this share of the best one's is dropped. Predictions are upper limits
  /// that measured rates reach to 70 % and more (docs/performance.md), so a point below half can hardly win.
  static constexpr double kFarOff = 0.5;

  /// `fixed` are the values of the other params; `kernel` must outlive the pruner. Errors: ParseError where a condition
  /// of `kernel` cannot be read.
  static Expected<Pruner> create(const KernelDescription &kernel, const Settings &fixed, MachineLimits limits);

  /// Judges one point by its facts; nothing: it may be compiled.
  std::optional<Drop> judge(const Point &point, const Facts &facts) const;
  /// The same for a point whose analysis failed.
  static Drop judgeFailure(const Error &error);
  /// Compares a point that may be compiled with the best prediction of all such points.
  static std::optional<Drop> compare(const Facts &facts, double bestFraction);

private:
  Pruner(const KernelDescription &kernel, Settings fixed, MachineLimits limits)
      : kernel(kernel), fixed(std::move(fixed)), limits(std::move(limits)) {}
  const KernelDescription &kernel;
  Settings fixed;
  MachineLimits limits;
};

/// Whether `a` is predicted to be faster than `b`: the higher fraction; of nearly equal ones the more work a step.
bool predictedBefore(const Facts &a, const Facts &b);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_PRUNER_H
