// Cases of the schedules that the tuner may choose. A case's lengths, groups of heads, lists and data follow from a
// seed of few, so that each of them meets many schedules.
#include "ScheduleCases.h"
#include "TestCase.h"

namespace lacuna::numeric {

/// Without its name and kernel.
static TestCase caseOf(const ScheduleSpace &space, int64_t index, uint64_t seed) {
  const ScheduleVariant &variant = space.variantOf(index);
  const AttentionSpec spec = attentionSpecOf(space, index);
  if (variant.kernel == "matmul")
    return matmulCase(spec.dtype, variant.activation, seed);
  if (variant.kernel == "block_sparse_matmul")
    return blockSparseMatmulCase(spec, seed);
  if (variant.kernel == "attention_parts")
    return splitCase(spec, seed);
  if (variant.kernel == "sigmoid_attention")
    return sigmoidCase(spec, seed);
  if (variant.kernel == "two_product_attention")
    return twoProductCase(spec, std::stoll(variant.fixed.at("R")), seed);
  return attentionCase(spec, seed);
}

TestCase scheduleCase(const ScheduleSpace &space, int64_t index, uint64_t seed) {
  TestCase result = caseOf(space, index, seed);
  result.name = fmt::format("schedule/{} {}: {}", index, space.textOf(index), result.name);
  result.kernel = space.kernel(index);
  return result;
}

std::vector<TestCase> scheduleCases(const ScheduleSpace &space, const std::vector<int64_t> &points, uint64_t seed,
                                    int64_t casesOfPoint) {
  constexpr uint64_t kSeeds = 40;
  std::vector<TestCase> cases;
  for (size_t at = 0; at < points.size(); ++at)
    for (uint64_t number = 0; number < static_cast<uint64_t>(casesOfPoint); ++number)
      // 7 and 13 are prime to 40: the cases of a point differ, and neighbours have others.
      cases.push_back(scheduleCase(space, points[at], seed * 1000003 + (7 * at + 13 * number) % kSeeds));
  return cases;
}

} // namespace lacuna::numeric
