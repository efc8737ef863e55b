//===- Reference.h - Attention in float64, and judging by it ----*- C++ -*-===//
//
// What every backend is judged against. For row i of head h in batch b, over the keys j of its listed blocks:
//
//   s_j = score(scale * (q_i . k_j), b, h, i, j),  and -inf where the block is partial and keep(b, h, i, j) is false
//   lse = log(sum_j exp(s_j)),  o = sum_j exp(s_j - lse) v_j;   a row without a finite weight: lse = -inf, o = 0
//
// in float64 on the rounded inputs. Beside it runs the same in the precision of an unblocked "eager" implementation: QK
// and softmax in float32, the weights rounded to the input's type, PV in float32, O rounded. A kernel passes when O has
// at most twice the eager error and at most the relative Frobenius error of its type, and LSE its bound; NaN must
// propagate.
//
// **Source:** Vaswani et al., "Attention is all you need", 2017, eq. 1; the bounds are the project's own (R18).
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_REFERENCE_H
#define LACUNA_RUNTIME_REFERENCE_H

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/HostTensor.h"
#include "lacuna/Runtime/ThreadPool.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace lacuna::runtime {

/// One attention to be computed. q, k, v as AttentionShape says, bf16 or f16, all of one type.
/// Thread safety: immutable while used; the two functions are called from several threads at once.
struct AttentionProblem {
  AttentionShape shape;
  const HostTensor *q = nullptr, *k = nullptr, *v = nullptr;
  const BlockLists *lists = nullptr;
  float scale = 1;
  /// The score hook; empty: s itself.
  std::function<double(double s, int64_t b, int64_t h, int64_t i, int64_t j)> score;
  /// The mask hook, asked in partial blocks only; empty: true.
  std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)> keep;

  /// Errors: InvalidArgument where a tensor or the lists do not fit the shape.
  Expected<void> check() const;
};

/// Results for some rows of one head.
struct ReferenceRows {
  std::vector<double> o;    ///< [rows, valueDim]
  std::vector<double> lse;  ///< [rows], natural log
  std::vector<float> eager; ///< [rows, valueDim], rounded to the input's type
};

/// Computes `rows` (all in row block `rowBlock`) of head h in batch b in the calling thread. The problem must pass
/// check().
ReferenceRows computeReference(const AttentionProblem &problem, int64_t b, int64_t h, int64_t rowBlock,
                               std::span<const int64_t> rows);

struct CheckOptions {
  /// Up to so many listed operations every row is checked; above, `sampledRows` random rows a head and the first and
  /// last row block.
  double fullCheckFlops = 20e9;
  int64_t sampledRows = 64;
  uint64_t seed = 1;
};

/// How far a result is from float64.
struct CheckReport {
  double relFrobenius = 0;      ///< ||o - reference|| / ||reference|| over the rows checked
  double maxAbs = 0;            ///< the largest |o - reference|
  double lseMaxAbs = 0;         ///< the largest |lse - reference|
  double eagerRelFrobenius = 0; ///< relFrobenius of the eager implementation
  int64_t rowsChecked = 0, rowsTotal = 0;
  bool sampled = false; ///< not every row was checked
  bool passed = false;
  std::vector<std::string> reasons; ///< why it did not pass, a sentence each
};

/// Compares o (the inputs' type) and lse (float32) with the reference. Errors: InvalidArgument where a tensor does not
/// fit the shape; a wrong result is no error but a report that did not pass.
Expected<CheckReport> checkAttention(const AttentionProblem &problem, const HostTensor &o, const HostTensor &lse,
                                     ThreadPool &pool, const CheckOptions &options = {});

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_REFERENCE_H
