//===- Workshop.h - Analyses, compiles and times candidates -----*- C++ -*-===//
//
// What the tuner asks of the compiler and of the machine. The tuner itself has neither: ProcessWorkshop asks worker
// processes, a test gives tables.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_WORKSHOP_H
#define LACUNA_AUTOTUNE_WORKSHOP_H

#include "lacuna/Autotune/Pruner.h"
#include "lacuna/Autotune/Shape.h"
#include "lacuna/Autotune/Worker.h"

#include <memory>

namespace lacuna::autotune {

/// A kernel with everything fixed but its knobs.
struct Variant {
  KernelDescription kernel;
  Settings fixed;   ///< params that are not tuned
  std::string keep; ///< the body of the hook `keep`; empty: the kernel's own
  MachineLimits machine;
};

/// A point, and what came of its compilation: for the workshop alone.
struct Candidate {
  Point point;
  Json artifact;
};

/// Candidates of one variant, timed on the data of one shape.
class Bench {
public:
  virtual ~Bench() = default;
  /// Runs a candidate `launches` times after one launch that is not timed; microseconds of each. Errors: any, where the
  /// candidate cannot be run; others still can.
  virtual Expected<std::vector<double>> time(const Candidate &candidate, int launches) = 0;
};

class Workshop {
public:
  virtual ~Workshop() = default;

  /// Finds the facts of points, several at once, until `deadline`; points that were not begun by then are left out.
  virtual void analyze(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
                       const std::function<void(size_t, Expected<Facts>)> &sink) = 0;
  /// Compiles points likewise.
  virtual void compile(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
                       const std::function<void(size_t, Expected<Json>)> &sink) = 0;
  /// Prepares data of `shape`; the results of candidates are held to those of `preset`. `variant` must outlive the
  /// bench. Errors: as the machine has them; the shape then cannot be tuned.
  virtual Expected<std::unique_ptr<Bench>> open(const Variant &variant, const Shape &shape, Candidate preset) = 0;
};

/// Asks workers. Thread safety: one thread at a time.
class ProcessWorkshop final : public Workshop {
public:
  struct Options {
    std::vector<std::string> command;       ///< of a worker
    int jobs = 1;                           ///< workers that analyse and compile
    std::string directory;                  ///< for compiled images
    std::chrono::milliseconds limit{20000}; ///< for one analysis, compilation or turn
    std::function<bool()> stopped = {};     ///< asked while waiting; what is under way is then given up
  };
  explicit ProcessWorkshop(Options options) : options(std::move(options)) {}

  void analyze(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
               const std::function<void(size_t, Expected<Facts>)> &sink) override;
  /// For a CPU nothing: the worker that times compiles, as machine code in memory cannot be passed on.
  void compile(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
               const std::function<void(size_t, Expected<Json>)> &sink) override;
  Expected<std::unique_ptr<Bench>> open(const Variant &variant, const Shape &shape, Candidate preset) override;

private:
  Options options;
  int64_t images = 0; ///< made so far: their names
};

/// A request's part that says what to compile.
Json jobJson(const Variant &variant, const Point &point);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_WORKSHOP_H
