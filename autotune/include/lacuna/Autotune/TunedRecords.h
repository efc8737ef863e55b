//===- TunedRecords.h - What to run untold ----------------------*- C++ -*-===//
//
// The records that ship with the source (autotune/records/) and those of the user's database, asked for the best point
// of a kernel on a machine for a shape. A shape that nobody measured takes the record of the nearest one:
//
//   - numbers among the params (a head dimension) must be equal; another element type counts as some distance;
//   - a mask (causal, window) falls back on causal, then on dense; lists fall back on dense;
//   - dimensions are compared by their logarithms.
//
// Of the same distance, the user's own records go before shipped ones, then those that were made with the assembler in
// hand, then the newest. Records of a changed kernel text are not used;
// shipped ones name no hash and hold for the library's kernels.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_TUNEDRECORDS_H
#define LACUNA_AUTOTUNE_TUNEDRECORDS_H

#include "lacuna/Autotune/Exchange.h"
#include "lacuna/Autotune/Shape.h"

namespace lacuna::autotune {

/// What is to be run.
struct TuningQuestion {
  std::string kernel, hash, machine;
  std::vector<std::string> dims; ///< the kernel's, to read the shapes of records by
  Shape shape;                   ///< dimensions that are not known may be absent
  std::string assembler = {};    ///< as RecordKey::assembler; empty: any is as good
  std::string target = "sm_90a"; ///< as MachineLimits::target: what was measured with another says nothing
};

struct TunedChoice {
  Point point;
  std::string origin;  ///< "tuned on NVIDIA H200 (M=4096 …)"
  std::string pattern; ///< of the record's shape
  double distance = 0;
};

/// Thread safety: immutable once made; any number of threads.
class TunedRecords {
public:
  /// Nothing: no records at all.
  TunedRecords() = default;
  explicit TunedRecords(std::vector<WinnerRecord> winners) : winners(std::move(winners)) {}

  /// Shipped records and the user's. A database that cannot be read is left out, with a warning; isComplete() is false.
  static TunedRecords load();
  static std::vector<WinnerRecord> shipped();
  /// One line that is another where load() would read another database, or it changed.
  static std::string stamp();

  /// Every record that may serve, nearest first. The caller takes the first whose point is legal with its lists.
  std::vector<TunedChoice> find(const TuningQuestion &question) const;
  const std::vector<WinnerRecord> &all() const { return winners; }
  /// Whether everything that was to be read could be.
  bool isComplete() const { return complete; }

private:
  bool complete = true;
  std::vector<WinnerRecord> winners;
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_TUNEDRECORDS_H
