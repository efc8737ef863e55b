#include "ScheduleCases.h"

namespace lacuna::numeric {

AttentionSpec attentionSpecOf(const ScheduleSpace &space, int64_t index) {
  const ScheduleVariant &variant = space.variantOf(index);
  const KernelSpec kernel = space.kernel(index);
  auto number = [&](const char *name, int64_t otherwise) {
    auto found = kernel.params.find(name);
    return found == kernel.params.end() ? otherwise : static_cast<int64_t>(std::stoll(found->second));
  };
  AttentionSpec spec;
  spec.dtype = kernel.params.at("T") == "f16" ? runtime::DType::F16 : runtime::DType::BF16;
  spec.headDim = number("D", 128);
  spec.valueDim = number("DV", spec.headDim);
  spec.tile = {number("BM", 128), number("BN", 128)};
  if (kernel.params.contains("R") && kernel.params.contains("L")) {
    spec.packed = runtime::PackedTile{number("R", 0), number("L", 0), spec.tile.keys};
    spec.tile.queries = spec.packed->rows();
  }
  // The kernels' own defaults: the block follows the tile, but for the rows of packed heads; a product has steps of BK.
  spec.queryBlock = number("QB", spec.packed ? 128 : spec.tile.queries);
  spec.keyBlock = number("KB", number("BK", spec.tile.keys));
  spec.mask = variant.mask;
  spec.score = variant.score;
  spec.rows = variant.rows;
  for (const char *name : {"stages", "apart"})
    if (auto found = kernel.params.find(name); found != kernel.params.end())
      spec.knobs.insert(*found);
  return spec;
}

} // namespace lacuna::numeric
