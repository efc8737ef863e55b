// Rows in parts (attention_split.tile): the attention cases through both kernels, heads packed too, and the merge
// alone.
//
// What a part without blocks would have written is made NaN before the merge reads the workspace: on a GPU such a part
// does not run.
#include "AttentionCase.h"
#include "Compare.h"
#include "TestCase.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <cmath>
#include <limits>

namespace lacuna::numeric {

using namespace runtime;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kCasesOfSpec = 10, kEverySpec = 4;

KernelSpec partsOf(const AttentionSpec &spec) {
  KernelSpec kernel{
      .file = "attention_split.tile", .kernel = "attention_parts", .params = paramsOf(spec), .hooks = hooksOf(spec)};
  kernel.params["BM"] = fmt::format("{}", spec.tile.queries);
  return kernel;
}

/// The heads and queries of a program, and the keys of a step.
PackedTile tileOf(const AttentionSpec &spec) {
  return spec.packed.value_or(PackedTile{1, spec.tile.queries, spec.tile.keys});
}

KernelSpec mergeOf(DType dtype, int64_t valueDim, int64_t columns) {
  return {.file = "attention_split.tile",
          .kernel = "attention_merge",
          .params = {{"T", std::string(dtypeName(dtype))},
                     {"DV", fmt::format("{}", valueDim)},
                     {"RN", fmt::format("{}", columns)}}};
}

/// lse as the merge sees it: one column.
Layout columnOf(Layout layout) {
  layout.shape.push_back(1);
  layout.strides.push_back(1);
  return layout;
}

/// How many parts row block `r` of (b, h) has, by the lists themselves.
int64_t countOf(const BlockLists &cut, int64_t splits, int64_t b, int64_t h, int64_t r) {
  int64_t count = 0;
  for (int64_t part = 0; part < splits; ++part)
    count += cut.indptr[cut.row(b, h, r * splits + part) + 1] > cut.indptr[cut.row(b, h, r * splits + part)];
  return count;
}

/// A workspace from the plan's view of it.
GuardedTensor workspaceFor(const ArgumentValue &argument) {
  return {DType::F32, Layout::contiguous(std::get<TensorView>(argument).shape)};
}

struct SplitCase {
  AttentionCase attention;
  int64_t splits;
};

std::vector<std::string> runSplit(const SplitCase &given, Machine &machine, const JitKernel &parts) {
  const AttentionSpec &spec = given.attention.spec;
  const AttentionShape &shape = given.attention.shape;
  auto merge = machine.compile(mergeOf(spec.dtype, spec.valueDim, chooseMergeColumns(shape, 1)));
  if (!merge)
    return {merge.error().render()};
  auto attend = [&](const GuardedTensor &q, const GuardedTensor &k, const GuardedTensor &v, const BlockLists &lists,
                    GuardedTensor &o, GuardedTensor &lse, float scale) -> Expected<void> {
    const PackedTile tile = tileOf(spec);
    auto plan = SplitPlan::create(lists, shape, {tile.queries, tile.keys}, given.splits, {}, tile.heads);
    if (!plan)
      return takeError(plan);
    const auto arguments = plan->partsArguments(plan->tables().data(), nullptr, {}, {}, {}, scale);
    GuardedTensor po = workspaceFor(arguments[4]), pl = workspaceFor(arguments[5]);
    if (auto done =
            machine.launch(parts, {Input{&q}, Input{&k}, Input{&v}, &plan->lists(), Output{&po}, Output{&pl}, scale});
        !done)
      return done;
    HostTensor partO = po.gather(), partLse = pl.gather();
    HostTensor counts = makeTensor(DType::I32, {shape.batch, shape.heads, shape.queries});
    for (int64_t row = 0; row < counts.elements(); ++row) {
      const int64_t i = row % shape.queries, h = row / shape.queries % shape.heads,
                    b = row / shape.queries / shape.heads;
      const int64_t count = countOf(plan->lists(), given.splits, b, h / tile.heads, i / lists.queryBlock);
      counts.as<int32_t>()[static_cast<size_t>(row)] = static_cast<int32_t>(count);
      for (int64_t part = count; part < given.splits; ++part) {
        const int64_t at = part * counts.elements() + row;
        partLse.as<float>()[static_cast<size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
        for (int64_t d = 0; d < shape.valueDim; ++d)
          partO.as<float>()[static_cast<size_t>(at * shape.valueDim + d)] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    const Layout ofHeads = Layout::contiguous({given.splits, shape.batch, shape.heads, shape.queries});
    const GuardedTensor poIn(partO, Layout::contiguous(partO.shape())), plIn(partLse, ofHeads),
        countsIn(counts, Layout::contiguous(counts.shape()));
    GuardedTensor column(DType::F32, columnOf(lse.placement()));
    if (auto done = machine.launch(*merge, {Input{&poIn}, Input{&plIn}, Input{&countsIn}, Output{&o}, Output{&column}});
        !done)
      return done;
    lse.memory() = column.memory();
    return {};
  };
  return runAttention(given.attention, machine, attend);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The merge alone
//===--------------------------------------------------------------------------------------------------------------===//

struct MergeCase {
  DType dtype;
  int64_t splits, batch, heads, queries, width, columns;
  float spread; ///< deviation of the LSE
  uint64_t seed;

  std::string describe() const {
    return fmt::format("{} S={} B={} H={} M={} DV={} RN={} spread={} seed={}", dtypeName(dtype), splits, batch, heads,
                       queries, width, columns, spread, seed);
  }
};

/// Partial results: LSE with some -inf, in whole rows too, O of order 1, and in row 0 a NaN.
std::vector<std::string> runMerge(const MergeCase &given, Machine &machine, const JitKernel &kernel) {
  const int64_t rows = given.batch * given.heads * given.queries, width = given.width;
  HostTensor po = normalTensor(DType::F32, {given.splits, given.batch, given.heads, given.queries, width}, given.seed,
                               0, machine.pool());
  HostTensor pl = normalTensor(DType::F32, {given.splits, given.batch, given.heads, given.queries}, given.seed, 1,
                               machine.pool(), given.spread);
  HostTensor counts = makeTensor(DType::I32, {given.batch, given.heads, given.queries});
  SplitMix64 random(given.seed, /*stream=*/2);
  std::vector<double> wantedO(static_cast<size_t>(rows * width)), wantedLse(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    // The same for the rows of a list's block, which may be lower than a tile of the merge.
    const int64_t block = row % given.queries / (given.seed % 2 ? 16 : 64);
    const int64_t count = (block + row / given.queries + static_cast<int64_t>(given.seed)) % (given.splits + 1);
    counts.as<int32_t>()[static_cast<size_t>(row)] = static_cast<int32_t>(count);
    const bool empty = random.below(8) == 0;
    double most = -kInfinity, sum = 0;
    for (int64_t part = 0; part < given.splits; ++part) {
      float &lse = pl.as<float>()[static_cast<size_t>(part * rows + row)];
      if (part >= count || (row == 0 && part == 0))
        lse = std::numeric_limits<float>::quiet_NaN();
      else if (empty || random.below(4) == 0)
        lse = -std::numeric_limits<float>::infinity();
      if (part < count)
        most = std::max<double>(most, lse); // of a number and a NaN the number
    }
    const double from = most == -kInfinity ? 0 : most;
    std::vector<double> total(static_cast<size_t>(width));
    for (int64_t part = 0; part < count; ++part) {
      const double weight = std::exp(pl.as<float>()[static_cast<size_t>(part * rows + row)] - from);
      sum += weight;
      for (int64_t d = 0; d < width; ++d)
        total[static_cast<size_t>(d)] += weight * po.valueAt((part * rows + row) * width + d);
    }
    wantedLse[static_cast<size_t>(row)] = from + std::log(sum);
    for (int64_t d = 0; d < width; ++d)
      wantedO[static_cast<size_t>(row * width + d)] = sum == 0 ? 0 : total[static_cast<size_t>(d)] / sum;
  }
  const GuardedTensor poIn(po, Layout::contiguous(po.shape())), plIn(pl, Layout::contiguous(pl.shape())),
      countsIn(counts, Layout::contiguous(counts.shape()));
  GuardedTensor o(given.dtype, Layout::withGaps({given.batch, given.heads, given.queries, width}, 1));
  GuardedTensor lse(DType::F32, columnOf(Layout::withGaps({given.batch, given.heads, given.queries}, 1)));
  if (auto done = machine.launch(kernel, {Input{&poIn}, Input{&plIn}, Input{&countsIn}, Output{&o}, Output{&lse}});
      !done)
    return {done.error().render()};
  std::vector<std::string> wrong = compare(o.gather(), wantedO, boundsOf(given.dtype));
  for (std::string &reason : compare(lse.gather(), wantedLse, boundsOf(DType::F32)))
    wrong.push_back("LSE: " + reason);
  return wrong;
}

void addMergeCases(uint64_t seed, std::vector<TestCase> &cases) {
  const std::pair<int64_t, int64_t> widths[] = {{8, 16}, {64, 16}, {72, 32}, {128, 64}, {256, 16}};
  constexpr float kSpreads[] = {0, 1, 30, 3000};
  for (size_t index = 0; index < 20; ++index) {
    SplitMix64 random(seed, /*stream=*/100 + index);
    const auto &[width, columns] = widths[index % std::size(widths)];
    MergeCase given{index % 5 % 2 ? DType::F16 : DType::BF16,
                    1 + static_cast<int64_t>(random.below(kMostSplits)),
                    1 + static_cast<int64_t>(random.below(2)),
                    1 + static_cast<int64_t>(random.below(3)),
                    1 + static_cast<int64_t>(random.below(200)),
                    width,
                    columns,
                    kSpreads[index % std::size(kSpreads)],
                    seed * 7919 + index};
    cases.push_back({fmt::format("merge/{} {}", index, given.describe()), mergeOf(given.dtype, width, columns),
                     [given](Machine &machine, const JitKernel &kernel) { return runMerge(given, machine, kernel); }});
  }
}

} // namespace

/// Number `number` of a specialisation.
static TestCase splitCaseOf(const AttentionSpec &spec, uint64_t seed, size_t number) {
  SplitCase given{makeAttentionCase(spec, seed), 0};
  SplitMix64 random(seed, /*stream=*/20);
  // More parts than most rows have blocks, too.
  given.splits = 1 + static_cast<int64_t>(random.below(number % 2 ? kMostSplits : 6));
  if (number % 2 == 0) { // few rows, many keys
    given.attention.shape.queries = 1 + static_cast<int64_t>(random.below(80));
    given.attention.shape.keys *= 1 + static_cast<int64_t>(random.below(6));
    given.attention.nanQueryRow = std::min(given.attention.nanQueryRow, given.attention.shape.queries - 1);
  }
  return {fmt::format("splits={} {}", given.splits, given.attention.describe()),
          partsOf(spec),
          [given](Machine &machine, const JitKernel &kernel) { return runSplit(given, machine, kernel); },
          {mergeOf(spec.dtype, spec.valueDim, chooseMergeColumns(given.attention.shape, 1))},
          given.attention.products()};
}

TestCase splitCase(const AttentionSpec &spec, uint64_t seed) {
  return splitCaseOf(spec, seed, seed);
}

std::vector<TestCase> splitCases(uint64_t seed) {
  const std::vector<AttentionSpec> all = attentionSpecs(seed);
  std::vector<AttentionSpec> specs = packedSpecs();
  for (size_t at = 0; at < all.size(); at += kEverySpec)
    specs.push_back(all[at]);
  std::vector<TestCase> cases;
  for (size_t at = 0; at < specs.size(); ++at)
    for (size_t number = 0; number < kCasesOfSpec; ++number) {
      TestCase added = splitCaseOf(specs[at], seed * 1000033 + cases.size(), number);
      added.name = fmt::format("split/{} {}", cases.size(), added.name);
      cases.push_back(std::move(added));
    }
  addMergeCases(seed, cases);
  return cases;
}

} // namespace lacuna::numeric
