// The variants of the library's kernels over which schedules are tried.
#include "SchedulePoints.h"

#include <cstdlib>

namespace lacuna::numeric {

namespace {

template <class Hook> const Hook *find(std::span<const Hook> hooks, std::string_view name) {
  for (const Hook &hook : hooks)
    if (hook.name == name)
      return &hook;
  std::abort(); // the table below names a hook that does not exist
}

/// Collects variants of one kernel.
struct Family {
  std::vector<ScheduleVariant> &all;
  std::string file, kernel;

  ScheduleVariant &add(autotune::Settings fixed, const char *mask = "none", const char *score = "none",
                       const char *rows = "") {
    ScheduleVariant variant{.file = file,
                            .kernel = kernel,
                            .fixed = std::move(fixed),
                            .mask = find(maskHooks(), mask),
                            .score = find(scoreHooks(), score),
                            .rows = rows};
    for (const auto *params : {&variant.mask->params, &variant.score->params})
      variant.fixed.insert(params->begin(), params->end());
    return all.emplace_back(std::move(variant));
  }
};

autotune::Settings with(autotune::Settings settings, std::initializer_list<std::pair<const char *, int64_t>> numbers) {
  for (const auto &[name, value] : numbers)
    settings[name] = fmt::format("{}", value);
  return settings;
}

autotune::Settings typed(const char *type, int64_t headDim) {
  return with({{"T", type}}, {{"D", headDim}});
}

constexpr int64_t kHeadDims[] = {64, 72, 96, 128, 200, 256}; // usual ones, and such as fill no chunk or k-step
constexpr int64_t kUsualHeadDims[] = {64, 128, 256};
constexpr const char *kTypes[] = {"bf16", "f16"};

void addAttention(std::vector<ScheduleVariant> &all) {
  Family forward{all, "attention_forward.tile", "attention_forward"};
  for (const char *type : kTypes)
    for (int64_t headDim : kHeadDims)
      forward.add(typed(type, headDim));
  for (int64_t headDim : kUsualHeadDims) {
    const autotune::Settings ofTile = typed("bf16", headDim);
    const autotune::Settings ofBlock = with(ofTile, {{"QB", 128}, {"KB", 128}});
    for (const char *mask : {"causal", "window:40:5"})
      for (const autotune::Settings &fixed : {ofTile, ofBlock})
        forward.add(fixed, mask);
    forward.add(ofBlock);
    for (const auto &[mask, rows] : {std::pair("none", "dense"), std::pair("library-causal", "causal"),
                                     std::pair("library-window", "sliding_window")})
      forward.add(ofTile, mask, "none", rows);
    forward.add(ofTile, "causal", "library-softcap");
    forward.add(ofTile, "none", "library-alibi");
  }
  forward.add(typed("f16", 128), "causal");
  forward.add(with(typed("f16", 128), {{"QB", 128}, {"KB", 128}}), "window:40:5");
  forward.add(with(typed("bf16", 192), {{"DV", 128}}), "causal");

  Family parts{all, "attention_split.tile", "attention_parts"};
  for (int64_t headDim : kHeadDims)
    parts.add(typed(headDim == 96 ? "f16" : "bf16", headDim));
  for (int64_t headDim : kUsualHeadDims)
    parts.add(with(typed("bf16", headDim), {{"QB", 128}, {"KB", 128}}), "causal");
}

void addPacked(std::vector<ScheduleVariant> &all) {
  Family packed{all, "attention_packed.tile", "attention_packed"};
  auto tile = [](const char *type, int64_t headDim, int64_t heads, int64_t queries) {
    return with(typed(type, headDim), {{"R", heads}, {"L", queries}});
  };
  for (int64_t headDim : kHeadDims) {
    packed.add(tile("bf16", headDim, 8, 8));
    packed.add(tile("bf16", headDim, 8, 16), "causal");
  }
  for (int64_t headDim : kUsualHeadDims) {
    packed.add(tile("f16", headDim, 4, 16), "causal");
    packed.add(tile("f16", headDim, 4, 32), "window:40:5");
  }
  packed.add(with(tile("bf16", 64, 3, 64), {{"QB", 192}}), "causal");
  packed.add(tile("bf16", 128, 8, 16), "library-causal", "none", "causal");
}

void addOthers(std::vector<ScheduleVariant> &all) {
  Family matmul{all, "matmul.tile", "matmul"}, sparse{all, "block_sparse_matmul.tile", "block_sparse_matmul"};
  for (const char *type : kTypes) {
    matmul.add({{"T", type}});
    matmul.add({{"T", type}}).activation = "gelu";
    sparse.add({{"T", type}});
    sparse.add(with({{"T", type}}, {{"QB", 128}, {"KB", 128}}));
  }
  Family sigmoid{all, "sigmoid_attention.tile", "sigmoid_attention"};
  Family twoProducts{all, "two_product_attention.tile", "two_product_attention"};
  for (int64_t headDim : {64, 128}) {
    sigmoid.add(typed("bf16", headDim));
    sigmoid.add(typed("f16", headDim), "causal");
    twoProducts.add(with(typed("bf16", headDim), {{"R", 64}}));
    twoProducts.add(with(typed("f16", headDim), {{"R", 64}}), "causal");
  }
}

} // namespace

std::vector<ScheduleVariant> scheduleVariants() {
  std::vector<ScheduleVariant> all;
  addAttention(all);
  addPacked(all);
  addOthers(all);
  return all;
}

} // namespace lacuna::numeric
