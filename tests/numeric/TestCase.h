// A case of the numeric tests: a name with all of its parameters, the kernel it needs, and how it is run and judged.
#pragma once

#include "AttentionCase.h"
#include "Machine.h"
#include "SchedulePoints.h"

#include <functional>
#include <string>
#include <vector>

namespace lacuna::numeric {

struct TestCase {
  /// Says everything about the case, so that a failure can be understood from it; begins with its group, as in
  /// "attention/17 bf16 D=64 ...".
  std::string name;
  KernelSpec kernel;
  /// Launches and judges; what is wrong, a sentence each. Empty: passed.
  std::function<std::vector<std::string>(Machine &, const JitKernel &)> run;
  std::vector<KernelSpec> others = {}; ///< that `run` compiles besides: known ahead, they are compiled side by side
  int64_t products = 0;                ///< multiplications of a launch without regard to lists; 0: not told
};

/// `count` cases of attention_forward.tile; a case depends on `seed` and its number alone.
std::vector<TestCase> attentionCases(uint64_t seed, int64_t count);
/// The same with patterns in place of lists.
std::vector<TestCase> patternCases(uint64_t seed);
/// attention_split.tile: rows in parts, merged; and the merge alone.
std::vector<TestCase> splitCases(uint64_t seed);
/// attention_packed.tile.
std::vector<TestCase> packedCases(uint64_t seed);
/// matmul.tile and block_sparse_matmul.tile.
std::vector<TestCase> matmulCases(uint64_t seed);
std::vector<TestCase> blockSparseMatmulCases(uint64_t seed);
/// sigmoid_attention.tile, two_product_attention.tile and pooled_scores.tile.
std::vector<TestCase> sigmoidCases(uint64_t seed);
std::vector<TestCase> twoProductCases(uint64_t seed);
std::vector<TestCase> pooledScoreCases(uint64_t seed);

/// One case each of a kernel whose tile and schedule the caller has chosen; `spec` has the lists' block, and of the
/// kernels over queries and keys the tile. What is not of the specialisation follows from `seed`.
TestCase attentionCase(const AttentionSpec &spec, uint64_t seed);
TestCase splitCase(const AttentionSpec &spec, uint64_t seed);
TestCase sigmoidCase(const AttentionSpec &spec, uint64_t seed);
TestCase twoProductCase(const AttentionSpec &spec, int64_t positionDim, uint64_t seed);
TestCase matmulCase(runtime::DType dtype, const std::string &activation, uint64_t seed);
TestCase blockSparseMatmulCase(const AttentionSpec &spec, uint64_t seed);

/// A case of point `index`.
TestCase scheduleCase(const ScheduleSpace &space, int64_t index, uint64_t seed);
/// Cases of points of `space`: `casesOfPoint` of each, of different lengths, groups and lists.
std::vector<TestCase> scheduleCases(const ScheduleSpace &space, const std::vector<int64_t> &points, uint64_t seed,
                                    int64_t casesOfPoint);

/// Compiles attention_forward.tile twice, the second time with every identifier changed, for all targets; the code
/// must be equal. A sentence for each difference.
std::vector<std::string> checkRenamedKernel(const Machine &machine);

} // namespace lacuna::numeric
