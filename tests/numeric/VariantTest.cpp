// The other kernels over queries and keys: sigmoid_attention.tile, two_product_attention.tile and pooled_scores.tile,
// against plain loops in float64.
#include "AttentionCase.h"
#include "Compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lacuna::numeric {

using namespace runtime;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct VariantCase {
  AttentionCase attention; ///< lists, mask, shape, dtype
  int64_t positionDim = 0; ///< R of the two-product kernel
  float scale = 1, shift = 0;
  bool mean = false; ///< pooled_mean, not pooled_max
};

KernelSpec kernelOf(const char *file, const VariantCase &given, bool hasLists) {
  const AttentionSpec &spec = given.attention.spec;
  KernelSpec kernel{.file = file};
  auto set = [&](const char *name, int64_t value) { kernel.params[name] = fmt::format("{}", value); };
  kernel.params["T"] = std::string(dtypeName(spec.dtype));
  set("D", spec.headDim);
  set("BM", spec.tile.queries);
  set("BN", spec.tile.keys);
  if (!hasLists)
    return kernel;
  set("DV", spec.valueDim);
  set("QB", spec.queryBlock);
  set("KB", spec.keyBlock);
  if (given.positionDim)
    set("R", given.positionDim);
  if (!spec.mask->body.empty())
    kernel.hooks["keep"] = spec.mask->body;
  return kernel;
}

/// The arguments as doubles, for the loops below.
struct Problem {
  const VariantCase &given;
  std::vector<double> q, k, v, qr, kr;
  int64_t headOf(int64_t b, int64_t h) const {
    const AttentionShape &shape = given.attention.shape;
    return b * shape.kvHeads + h / (shape.heads / shape.kvHeads);
  }
  /// scale * (q . k + qr . kr)
  double score(int64_t b, int64_t h, int64_t i, int64_t j) const {
    const AttentionShape &shape = given.attention.shape;
    const int64_t query = (b * shape.heads + h) * shape.queries + i, key = headOf(b, h) * shape.keys + j;
    double sum = 0;
    for (int64_t d = 0; d < shape.headDim; ++d)
      sum += q[static_cast<size_t>(query * shape.headDim + d)] * k[static_cast<size_t>(key * shape.headDim + d)];
    for (int64_t d = 0; d < given.positionDim; ++d)
      sum += qr[static_cast<size_t>(query * given.positionDim + d)] *
             kr[static_cast<size_t>((b * shape.keys + j) * given.positionDim + d)];
    return given.scale * sum;
  }
  /// Calls body(j) for every key that the row's list and the mask let it see.
  template <class Body> void forEachKey(const BlockLists &lists, int64_t b, int64_t h, int64_t i, Body &&body) const {
    const AttentionShape &shape = given.attention.shape;
    const int64_t row = lists.row(b, h, i / lists.queryBlock);
    const MaskHook &mask = *given.attention.spec.mask;
    auto visit = [&](std::span<const int32_t> blocks, bool partial) {
      for (int64_t block : blocks)
        for (int64_t j = block * lists.keyBlock; j < std::min(shape.keys, (block + 1) * lists.keyBlock); ++j)
          if (!partial || !mask.keeps || mask.keeps(shape, b, h, i, j))
            body(j);
    };
    visit(lists.partialBlocks(row), true);
    visit(lists.fullBlocks(row), false);
  }
};

struct Placed {
  HostTensor values;
  GuardedTensor memory;
};
Placed place(const VariantCase &given, std::vector<int64_t> shape, uint64_t stream, Machine &machine) {
  HostTensor values =
      normalTensor(given.attention.spec.dtype, std::move(shape), given.attention.seed, stream, machine.pool());
  GuardedTensor memory(values, Layout::withGaps(values.shape(), 1));
  return {std::move(values), std::move(memory)};
}

/// Both kinds of attention: weights of the row's keys by `weigh`, O into `o` and its LSE into `lse`.
template <class Weigh>
void attend(const Problem &problem, const BlockLists &lists, Weigh &&weigh, std::vector<double> &o,
            std::vector<double> &lse) {
  const AttentionShape &shape = problem.given.attention.shape;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i) {
        std::vector<int64_t> keys;
        std::vector<double> weights;
        problem.forEachKey(lists, b, h, i, [&](int64_t j) {
          keys.push_back(j);
          weights.push_back(problem.score(b, h, i, j));
        });
        lse.push_back(weigh(weights));
        const size_t first = o.size();
        o.resize(first + static_cast<size_t>(shape.valueDim));
        for (size_t n = 0; n < keys.size(); ++n)
          for (int64_t d = 0; d < shape.valueDim; ++d)
            o[first + static_cast<size_t>(d)] +=
                weights[n] *
                problem.v[static_cast<size_t>((problem.headOf(b, h) * shape.keys + keys[n]) * shape.valueDim + d)];
      }
}

/// Scores -> normalised weights; returns the LSE, -inf without a key.
double softmax(std::vector<double> &scores) {
  double largest = -kInfinity, sum = 0;
  for (double s : scores)
    largest = std::max(largest, s);
  for (double &s : scores)
    sum += s = std::exp(s - largest);
  for (double &s : scores)
    s /= sum;
  return scores.empty() ? -kInfinity : largest + std::log(sum);
}

std::vector<std::string> runSigmoid(const VariantCase &given, Machine &machine, const JitKernel &kernel) {
  const AttentionShape &shape = given.attention.shape;
  auto lists = makeLists(given.attention);
  if (!lists)
    return {lists.error().render()};
  Placed q = place(given, {shape.batch, shape.heads, shape.queries, shape.headDim}, 0, machine);
  Placed k = place(given, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}, 1, machine);
  Placed v = place(given, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}, 2, machine);
  GuardedTensor o(given.attention.spec.dtype,
                  Layout::rowsPadded({shape.batch, shape.heads, shape.queries, shape.valueDim}));
  if (auto done = machine.launch(kernel, {Input{&q.memory}, Input{&k.memory}, Input{&v.memory}, &*lists, Output{&o},
                                          given.scale, given.shift});
      !done)
    return {done.error().render()};
  Problem problem{given, toDoubles(q.values), toDoubles(k.values), toDoubles(v.values), {}, {}};
  std::vector<double> wanted, unused;
  attend(
      problem, *lists,
      [&](std::vector<double> &scores) {
        for (double &s : scores)
          s = 1 / (1 + std::exp(-(s + given.shift)));
        return 0.0;
      },
      wanted, unused);
  return compare(o.gather(), wanted, boundsOf(given.attention.spec.dtype));
}

std::vector<std::string> runTwoProducts(const VariantCase &given, Machine &machine, const JitKernel &kernel) {
  const AttentionShape &shape = given.attention.shape;
  auto lists = makeLists(given.attention);
  if (!lists)
    return {lists.error().render()};
  Placed q = place(given, {shape.batch, shape.heads, shape.queries, shape.headDim}, 0, machine);
  Placed k = place(given, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}, 1, machine);
  Placed v = place(given, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}, 2, machine);
  Placed qr = place(given, {shape.batch, shape.heads, shape.queries, given.positionDim}, 3, machine);
  Placed kr = place(given, {shape.batch, shape.keys, given.positionDim}, 4, machine);
  GuardedTensor o(given.attention.spec.dtype,
                  Layout::rowsPadded({shape.batch, shape.heads, shape.queries, shape.valueDim}));
  GuardedTensor lse(DType::F32, Layout::contiguous({shape.batch, shape.heads, shape.queries}));
  if (auto done = machine.launch(kernel, {Input{&q.memory}, Input{&qr.memory}, Input{&k.memory}, Input{&kr.memory},
                                          Input{&v.memory}, &*lists, Output{&o}, Output{&lse}, given.scale});
      !done)
    return {done.error().render()};
  Problem problem{
      given, toDoubles(q.values), toDoubles(k.values), toDoubles(v.values), toDoubles(qr.values), toDoubles(kr.values)};
  std::vector<double> wanted, wantedLse;
  attend(problem, *lists, softmax, wanted, wantedLse);
  std::vector<std::string> wrong = compare(o.gather(), wanted, boundsOf(given.attention.spec.dtype));
  for (std::string &reason : compare(lse.gather(), wantedLse, boundsOf(DType::F32)))
    wrong.push_back("LSE: " + reason);
  return wrong;
}

std::vector<std::string> runPooled(const VariantCase &given, Machine &machine, const JitKernel &kernel) {
  const AttentionShape &shape = given.attention.shape;
  const AttentionTile &tile = given.attention.spec.tile;
  const int64_t rows = (shape.queries + tile.queries - 1) / tile.queries;
  const int64_t columns = (shape.keys + tile.keys - 1) / tile.keys;
  Placed q = place(given, {shape.batch, shape.heads, shape.queries, shape.headDim}, 0, machine);
  Placed k = place(given, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}, 1, machine);
  GuardedTensor p(DType::F32, Layout::withGaps({shape.batch, shape.heads, rows, columns}, 1));
  if (auto done = machine.launch(kernel, {Input{&q.memory}, Input{&k.memory}, Output{&p}, given.scale}); !done)
    return {done.error().render()};
  Problem problem{given, toDoubles(q.values), toDoubles(k.values), {}, {}, {}};
  std::vector<double> wanted(static_cast<size_t>(shape.batch * shape.heads * rows * columns),
                             given.mean ? 0 : -kInfinity);
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i)
        for (int64_t j = 0; j < shape.keys; ++j) {
          const int64_t r = i / tile.queries, c = j / tile.keys;
          const int64_t count = std::min(tile.queries, shape.queries - r * tile.queries) *
                                std::min(tile.keys, shape.keys - c * tile.keys);
          double &cell = wanted[static_cast<size_t>(((b * shape.heads + h) * rows + r) * columns + c)];
          const double s = problem.score(b, h, i, j);
          cell = given.mean ? cell + s / static_cast<double>(count) : std::max(cell, s);
        }
  return compare(p.gather(), wanted, boundsOf(DType::F32));
}

//===--------------------------------------------------------------------------------------------------------------===//
// The cases
//===--------------------------------------------------------------------------------------------------------------===//

/// The lengths, groups and lists of the attention cases, on `spec`.
VariantCase drawOn(AttentionSpec spec, uint64_t seed) {
  VariantCase given;
  spec.score = &scoreHooks()[0];
  given.attention = makeAttentionCase(spec, seed);
  given.scale = 1 / std::sqrt(static_cast<float>(spec.headDim));
  return given;
}

/// Case number `index`, with the tile for the lists' block.
VariantCase draw(AttentionSpec spec, uint64_t seed, size_t index) {
  if (auto tile = chooseTile(spec.headDim, spec.valueDim, spec.queryBlock, spec.keyBlock, tileLimits()))
    spec.tile = *tile;
  return drawOn(spec, seed * 4001 + index);
}

using Run = std::vector<std::string> (*)(const VariantCase &, Machine &, const JitKernel &);

void add(std::vector<TestCase> &cases, std::string_view group, KernelSpec kernel, VariantCase given, Run run) {
  cases.push_back({fmt::format("{}/{} {}{}", group, cases.size(), given.attention.describe(),
                               given.positionDim ? fmt::format(" R={}", given.positionDim) : ""),
                   std::move(kernel), [given, run](Machine &machine, const JitKernel &compiled) {
                     return run(given, machine, compiled);
                   }});
}

constexpr size_t kLaunchesOfSpec = 5;

} // namespace

static TestCase caseOf(const char *file, VariantCase given, Run run) {
  return {given.attention.describe(),
          kernelOf(file, given, true),
          [given, run](Machine &machine, const JitKernel &compiled) { return run(given, machine, compiled); },
          {},
          given.attention.products()};
}

TestCase sigmoidCase(const AttentionSpec &spec, uint64_t seed) {
  VariantCase given = drawOn(spec, seed);
  given.shift = -std::log(static_cast<float>(given.attention.shape.keys));
  return caseOf("sigmoid_attention.tile", given, runSigmoid);
}

TestCase twoProductCase(const AttentionSpec &spec, int64_t positionDim, uint64_t seed) {
  VariantCase given = drawOn(spec, seed);
  given.positionDim = positionDim;
  return caseOf("two_product_attention.tile", given, runTwoProducts);
}

std::vector<TestCase> sigmoidCases(uint64_t seed) {
  const AttentionSpec kSpecs[] = {{DType::BF16, 64, 64, 128, 128, {}, &maskHooks()[0]},
                                  {DType::F16, 128, 64, 128, 64, {}, &maskHooks()[1]},
                                  {DType::BF16, 40, 72, 64, 32, {}, &maskHooks()[2]},
                                  {DType::F16, 32, 32, 128, 80, {}, &maskHooks()[7]}};
  std::vector<TestCase> cases;
  for (const AttentionSpec &spec : kSpecs)
    for (size_t launch = 0; launch < kLaunchesOfSpec; ++launch) {
      VariantCase given = draw(spec, seed, cases.size());
      given.shift = launch == 0 ? 0.5f : -std::log(static_cast<float>(given.attention.shape.keys));
      add(cases, "sigmoid", kernelOf("sigmoid_attention.tile", given, true), given, runSigmoid);
    }
  return cases;
}

std::vector<TestCase> twoProductCases(uint64_t seed) {
  const AttentionSpec kSpecs[] = {{DType::BF16, 128, 128, 128, 64, {}, &maskHooks()[1]},
                                  {DType::F16, 64, 64, 64, 64, {}, &maskHooks()[0]},
                                  {DType::BF16, 40, 64, 128, 32, {}, &maskHooks()[2]},
                                  {DType::F16, 64, 128, 64, 16, {}, &maskHooks()[1]}};
  constexpr int64_t kPositionDims[] = {64, 32, 8, 64};
  std::vector<TestCase> cases;
  for (size_t index = 0; index < std::size(kSpecs); ++index)
    for (size_t launch = 0; launch < kLaunchesOfSpec; ++launch) {
      VariantCase given = draw(kSpecs[index], seed, cases.size());
      given.positionDim = kPositionDims[index];
      given.attention.spec.tile.keys = std::min<int64_t>(given.attention.spec.tile.keys, 64); // room for a third ring
      add(cases, "two_product", kernelOf("two_product_attention.tile", given, true), given, runTwoProducts);
    }
  return cases;
}

std::vector<TestCase> pooledScoreCases(uint64_t seed) {
  const AttentionSpec kSpecs[] = {{DType::BF16, 64, 64, 64, 64, {}, &maskHooks()[0]},
                                  {DType::F16, 128, 128, 128, 128, {}, &maskHooks()[0]},
                                  {DType::BF16, 72, 72, 64, 80, {}, &maskHooks()[0]}};
  std::vector<TestCase> cases;
  for (bool mean : {false, true})
    for (const AttentionSpec &spec : kSpecs)
      for (size_t launch = 0; launch < kLaunchesOfSpec; ++launch) {
        VariantCase given = draw(spec, seed, cases.size());
        given.mean = mean;
        KernelSpec kernel = kernelOf("pooled_scores.tile", given, false);
        kernel.kernel = mean ? "pooled_mean" : "pooled_max";
        add(cases, kernel.kernel, kernel, given, runPooled);
      }
  return cases;
}

} // namespace lacuna::numeric
