// matmul.tile with its epilogues, and block_sparse_matmul.tile, at lengths that no tile divides.
#include "AttentionCase.h"
#include "Compare.h"
#include "TestCase.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lacuna::numeric {

using namespace runtime;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Epilogue {
  const char *name, *body; ///< of the hook `activation`; an empty body leaves the kernel's own
  double (*apply)(double x, int64_t i, int64_t j);
};

const Epilogue kEpilogues[] = {
    {"none", "", [](double x, int64_t, int64_t) { return x; }},
    {"relu", "relu", [](double x, int64_t, int64_t) { return std::max(x, 0.0); }},
    {"gelu", "gelu",
     [](double x, int64_t, int64_t) { return 0.5 * x * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x))); }},
    {"silu", "silu", [](double x, int64_t, int64_t) { return x / (1 + std::exp(-x)); }},
    {"by-position", "(i + j) % 2 == 0 ? x : 0.25 * x - 1.0",
     [](double x, int64_t i, int64_t j) { return (i + j) % 2 == 0 ? x : 0.25 * x - 1; }},
};

struct Tile {
  int64_t m, n, k;
};

struct MatmulCase {
  uint64_t seed;
  DType dtype;
  Tile tile;
  const Epilogue *epilogue;
  int64_t batch, m, n, k;
  float alpha;
};

std::vector<std::string> runMatmul(const MatmulCase &given, Machine &machine, const JitKernel &kernel) {
  const auto &[seed, dtype, tile, epilogue, batch, m, n, k, alpha] = given;
  HostTensor a = normalTensor(dtype, {batch, m, k}, seed, 0, machine.pool());
  HostTensor b = normalTensor(dtype, {batch, k, n}, seed, 1, machine.pool());
  HostTensor bias = normalTensor(DType::F32, {n}, seed, 2, machine.pool());
  GuardedTensor placedA(a, Layout::rowsPadded(a.shape())), placedB(b, Layout::withGaps(b.shape(), 1));
  GuardedTensor placedBias(bias, Layout::contiguous(bias.shape())), c(dtype, Layout::rowsPadded({batch, m, n}));
  if (auto done = machine.launch(kernel, {Input{&placedA}, Input{&placedB}, Input{&placedBias}, Output{&c}, alpha});
      !done)
    return {done.error().render()};

  std::vector<double> wanted(static_cast<size_t>(batch * m * n)), left = toDoubles(a), right = toDoubles(b);
  for (int64_t z = 0; z < batch; ++z)
    addProduct(wanted.data() + z * m * n, left.data() + z * m * k, right.data() + z * k * n, m, n, k, false);
  for (size_t at = 0; at < wanted.size(); ++at) {
    const int64_t i = static_cast<int64_t>(at) / n % m, j = static_cast<int64_t>(at) % n;
    wanted[at] = epilogue->apply(alpha * wanted[at] + bias.valueAt(j), i, j);
  }
  return compare(c.gather(), wanted, boundsOf(dtype));
}

KernelSpec matmulKernel(const MatmulCase &given) {
  KernelSpec kernel{.file = "matmul.tile"};
  kernel.params = {{"T", std::string(dtypeName(given.dtype))},
                   {"BM", fmt::format("{}", given.tile.m)},
                   {"BN", fmt::format("{}", given.tile.n)},
                   {"BK", fmt::format("{}", given.tile.k)}};
  if (*given.epilogue->body)
    kernel.hooks["activation"] = given.epilogue->body;
  return kernel;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The block-sparse product
//===--------------------------------------------------------------------------------------------------------------===//

struct SparseCase {
  uint64_t seed;
  DType dtype;
  Tile tile;
  int64_t queryBlock, keyBlock;
  int64_t batch, heads, m, n, k;
  ListKind kind;
};

/// NaN where a kernel must not look: in A outside the listed blocks, in rows of B that no list names.
void poisonUnlisted(const SparseCase &given, const BlockLists &lists, HostTensor &a, HostTensor &b) {
  for (int64_t head = 0; head < given.batch * given.heads; ++head) {
    std::vector<bool> namedAnywhere(static_cast<size_t>(lists.keyBlocks));
    for (int64_t i = 0; i < given.m; ++i) {
      const int64_t row = lists.row(head / given.heads, head % given.heads, i / lists.queryBlock);
      std::vector<bool> named(static_cast<size_t>(lists.keyBlocks));
      for (auto part : {lists.partialBlocks(row), lists.fullBlocks(row)})
        for (int32_t block : part)
          named[static_cast<size_t>(block)] = namedAnywhere[static_cast<size_t>(block)] = true;
      for (int64_t k = 0; k < given.k; ++k)
        if (!named[static_cast<size_t>(k / lists.keyBlock)])
          setValue(a, (head * given.m + i) * given.k + k, kNaN);
    }
    for (int64_t k = 0; k < given.k; ++k)
      for (int64_t j = 0; j < given.n && !namedAnywhere[static_cast<size_t>(k / lists.keyBlock)]; ++j)
        setValue(b, (head * given.k + k) * given.n + j, kNaN);
  }
}

std::vector<double> multiplyListed(const SparseCase &given, const BlockLists &lists, const HostTensor &a,
                                   const HostTensor &b) {
  std::vector<double> result(static_cast<size_t>(given.batch * given.heads * given.m * given.n));
  const std::vector<double> left = toDoubles(a), right = toDoubles(b);
  for (int64_t head = 0; head < given.batch * given.heads; ++head)
    for (int64_t i = 0; i < given.m; ++i) {
      const int64_t row = lists.row(head / given.heads, head % given.heads, i / lists.queryBlock);
      const int64_t line = head * given.m + i;
      for (auto part : {lists.partialBlocks(row), lists.fullBlocks(row)})
        for (int64_t block : part) {
          const int64_t first = block * lists.keyBlock, count = std::min(lists.keyBlock, given.k - first);
          addProduct(result.data() + line * given.n, left.data() + line * given.k + first,
                     right.data() + (head * given.k + first) * given.n, 1, given.n, count, false);
        }
    }
  return result;
}

std::vector<std::string> runSparse(const SparseCase &given, Machine &machine, const JitKernel &kernel) {
  AttentionCase listCase; // the list generator speaks of queries and keys: rows of A, columns of A
  listCase.seed = given.seed;
  listCase.spec.mask = &maskHooks()[0];
  listCase.spec.queryBlock = given.queryBlock;
  listCase.spec.keyBlock = given.keyBlock;
  listCase.shape = {given.batch, given.heads, given.heads, given.m, given.k, 64, 64};
  listCase.lists = given.kind;
  auto lists = makeLists(listCase);
  if (!lists)
    return {lists.error().render()};
  HostTensor a = normalTensor(given.dtype, {given.batch, given.heads, given.m, given.k}, given.seed, 0, machine.pool());
  HostTensor b = normalTensor(given.dtype, {given.batch, given.heads, given.k, given.n}, given.seed, 1, machine.pool());
  poisonUnlisted(given, *lists, a, b);
  GuardedTensor placedA(a, Layout::withGaps(a.shape(), 2)), placedB(b, Layout::rowsPadded(b.shape()));
  GuardedTensor c(given.dtype, Layout::rowsPadded({given.batch, given.heads, given.m, given.n}));
  if (auto done = machine.launch(kernel, {Input{&placedA}, Input{&placedB}, &*lists, Output{&c}}); !done)
    return {done.error().render()};
  return compare(c.gather(), multiplyListed(given, *lists, a, b), boundsOf(given.dtype));
}

} // namespace

std::vector<TestCase> matmulCases(uint64_t seed) {
  constexpr Tile kTiles[] = {{128, 128, 64}, {64, 64, 64}, {64, 128, 128}};
  constexpr int64_t kShapes[][4] = {{1, 1, 1, 1},      {1, 17, 33, 65},   {2, 129, 127, 200},
                                    {1, 64, 128, 128}, {3, 300, 77, 401}, {1, 255, 256, 63}};
  std::vector<TestCase> cases;
  for (DType dtype : {DType::BF16, DType::F16})
    for (size_t e = 0; e < std::size(kEpilogues); ++e)
      for (size_t s = 0; s < std::size(kShapes); ++s) {
        const auto &[batch, m, n, k] = kShapes[s];
        const float alpha = (s == 1 ? -1.0f : 1.0f) / std::sqrt(static_cast<float>(k));
        MatmulCase given{
            seed * 1009 + cases.size(), dtype, kTiles[e % std::size(kTiles)], &kEpilogues[e], batch, m, n, k, alpha};
        cases.push_back({fmt::format("matmul/{} {} BM={} BN={} BK={} epilogue={} B={} M={} N={} K={} alpha={} seed={}",
                                     cases.size(), dtypeName(dtype), given.tile.m, given.tile.n, given.tile.k,
                                     given.epilogue->name, batch, m, n, k, alpha, given.seed),
                         matmulKernel(given), [given](Machine &machine, const JitKernel &kernel) {
                           return runMatmul(given, machine, kernel);
                         }});
      }
  return cases;
}

TestCase matmulCase(DType dtype, const std::string &activation, uint64_t seed) {
  SplitMix64 random(seed, /*stream=*/21);
  const Epilogue *epilogue = std::find_if(std::begin(kEpilogues), std::prev(std::end(kEpilogues)),
                                          [&](const Epilogue &each) { return each.body == activation; });
  auto length = [&](uint64_t most) { return 1 + static_cast<int64_t>(random.below(most)); };
  MatmulCase given{seed, dtype, {}, epilogue, length(2), length(300), length(300), length(400), 0};
  given.alpha = 1 / std::sqrt(static_cast<float>(given.k));
  return {fmt::format("B={} M={} N={} K={} seed={}", given.batch, given.m, given.n, given.k, seed),
          matmulKernel(given),
          [given](Machine &machine, const JitKernel &kernel) { return runMatmul(given, machine, kernel); },
          {},
          given.batch * given.m * given.n * given.k};
}

TestCase blockSparseMatmulCase(const AttentionSpec &spec, uint64_t seed) {
  SplitMix64 random(seed, /*stream=*/22);
  constexpr ListKind kKinds[] = {ListKind::Uneven,   ListKind::Shared, ListKind::PerHead,
                                 ListKind::OneEntry, ListKind::Empty,  ListKind::Random};
  auto length = [&](uint64_t most) { return 1 + static_cast<int64_t>(random.below(most)); };
  SparseCase given{seed,
                   spec.dtype,
                   {},
                   spec.queryBlock,
                   spec.keyBlock,
                   length(2),
                   length(2),
                   length(300),
                   length(300),
                   length(400),
                   kKinds[random.below(std::size(kKinds))]};
  return {fmt::format("B={} H={} M={} N={} K={} lists={} seed={}", given.batch, given.heads, given.m, given.n, given.k,
                      listKindName(given.kind), seed),
          {},
          [given](Machine &machine, const JitKernel &kernel) { return runSparse(given, machine, kernel); },
          {},
          given.batch * given.heads * given.m * given.n * given.k};
}

std::vector<TestCase> blockSparseMatmulCases(uint64_t seed) {
  struct Variant {
    Tile tile;
    int64_t queryBlock, keyBlock;
  };
  constexpr Variant kVariants[] = {{{128, 128, 64}, 128, 64}, {{64, 64, 64}, 128, 128}, {{64, 128, 128}, 64, 64}};
  constexpr int64_t kShapes[][5] = {
      {1, 1, 5, 9, 11}, {1, 2, 130, 65, 193}, {2, 2, 200, 129, 311}, {1, 3, 257, 64, 256}};
  constexpr ListKind kKinds[] = {ListKind::Uneven,   ListKind::Shared, ListKind::PerHead,
                                 ListKind::OneEntry, ListKind::Empty,  ListKind::Random};
  std::vector<TestCase> cases;
  for (DType dtype : {DType::BF16, DType::F16})
    for (const Variant &variant : kVariants)
      for (const auto &[batch, heads, m, n, k] : kShapes)
        for (int repeat = 0; repeat < 2; ++repeat) {
          SparseCase given{seed * 2003 + cases.size(),
                           dtype,
                           variant.tile,
                           variant.queryBlock,
                           variant.keyBlock,
                           batch,
                           heads,
                           m,
                           n,
                           k,
                           kKinds[cases.size() % std::size(kKinds)]};
          KernelSpec kernel{.file = "block_sparse_matmul.tile"};
          kernel.params = {{"T", std::string(dtypeName(dtype))},          {"BM", fmt::format("{}", variant.tile.m)},
                           {"BN", fmt::format("{}", variant.tile.n)},     {"BK", fmt::format("{}", variant.tile.k)},
                           {"QB", fmt::format("{}", variant.queryBlock)}, {"KB", fmt::format("{}", variant.keyBlock)}};
          cases.push_back(
              {fmt::format("block_sparse_matmul/{} {} BM={} BN={} BK={} QB={} KB={} B={} H={} M={} N={} K={} "
                           "lists={} seed={}",
                           cases.size(), dtypeName(dtype), variant.tile.m, variant.tile.n, variant.tile.k,
                           variant.queryBlock, variant.keyBlock, batch, heads, m, n, k, listKindName(given.kind),
                           given.seed),
               kernel,
               [given](Machine &machine, const JitKernel &kernel) { return runSparse(given, machine, kernel); }});
        }
  return cases;
}

} // namespace lacuna::numeric
