// Runs the attention cases and judges them by the bounds of the reference.
#include "AttentionCase.h"
#include "TestCase.h"
#include "lacuna/Runtime/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lacuna::numeric {

using namespace runtime;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kExtremeScore = 8192;

/// A case's tensors in host memory, contiguous.
struct Tensors {
  HostTensor q, k, v;
};

Tensors makeTensors(const AttentionCase &attention, ThreadPool &pool) {
  const AttentionShape &shape = attention.shape;
  const DType dtype = attention.spec.dtype;
  Tensors tensors{makeTensor(dtype, {shape.batch, shape.heads, shape.queries, shape.headDim}),
                  makeTensor(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}),
                  makeTensor(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim})};
  fillNormal(tensors.q, attention.seed, 10, pool);
  fillNormal(tensors.k, attention.seed, 11, pool);
  fillNormal(tensors.v, attention.seed, 12, pool);
  if (attention.data == DataKind::Offset) { // the first component of every q and k adds 64 * 64 to the product
    for (int64_t at = 0; at < tensors.q.elements(); at += shape.headDim)
      setValue(tensors.q, at, 64);
    for (int64_t at = 0; at < tensors.k.elements(); at += shape.headDim)
      setValue(tensors.k, at, 64);
  }
  if (attention.data == DataKind::Rising) { // with the usual scale each key adds 3/16 to the score of the one before
    const float step = 3.0f / 128 * std::sqrt(static_cast<float>(shape.headDim));
    for (int64_t at = 0; at < tensors.q.elements(); at += shape.headDim)
      setValue(tensors.q, at, 8);
    for (int64_t at = 0; at < tensors.k.elements(); at += shape.headDim)
      setValue(tensors.k, at, step * static_cast<float>(at / shape.headDim % shape.keys));
  }
  if (attention.data == DataKind::Equal)
    for (int64_t at = 0; at < tensors.k.elements(); ++at)
      setValue(tensors.k, at, 0.125f * static_cast<float>(at % shape.headDim % 16));
  if (attention.data == DataKind::Large) {
    const float factor = dtype == DType::BF16 ? 1e30f : 1e4f;
    for (int64_t at = 0; at < tensors.v.elements(); ++at)
      setValue(tensors.v, at, tensors.v.valueAt(at) * factor);
  }
  return tensors;
}

double largestProduct(const AttentionShape &shape, const Tensors &tensors) {
  double largest = 0;
  std::vector<float> key(static_cast<size_t>(shape.headDim));
  const int64_t group = shape.heads / shape.kvHeads;
  for (int64_t row = 0; row < shape.batch * shape.kvHeads * shape.keys; ++row) {
    for (int64_t d = 0; d < shape.headDim; ++d)
      key[static_cast<size_t>(d)] = tensors.k.valueAt(row * shape.headDim + d);
    const int64_t firstQuery = row / shape.keys * group * shape.queries; // KV head (b, g) serves `group` heads in a row
    for (int64_t query = firstQuery; query < firstQuery + group * shape.queries; ++query) {
      double product = 0;
      for (int64_t d = 0; d < shape.headDim; ++d)
        product += key[static_cast<size_t>(d)] * tensors.q.valueAt(query * shape.headDim + d);
      largest = std::max(largest, std::abs(product));
    }
  }
  return largest;
}

float chooseScale(const AttentionCase &attention, const Tensors &tensors) {
  const double usual = 1 / std::sqrt(static_cast<double>(attention.shape.headDim));
  const double sign = attention.scale == ScaleKind::Negative ? -1 : 1;
  if (attention.data == DataKind::Extreme && attention.scale != ScaleKind::Zero)
    return static_cast<float>(sign * kExtremeScore / std::max(largestProduct(attention.shape, tensors), 1e-3));
  switch (attention.scale) {
  case ScaleKind::One:
    return 1;
  case ScaleKind::Tiny:
    return 1e-20f;
  case ScaleKind::Subnormal:
    return 1e-41f;
  case ScaleKind::Zero:
    return 0;
  case ScaleKind::Usual:
  case ScaleKind::Negative:
    break;
  }
  return static_cast<float>(sign * usual);
}

/// NaN in the rows of every block of k and v that no list of any head of their group names.
void poisonUnlisted(const AttentionShape &shape, const BlockLists &lists, Tensors &tensors) {
  const int64_t group = shape.heads / shape.kvHeads;
  for (int64_t head = 0; head < shape.batch * shape.kvHeads; ++head) {
    std::vector<bool> named(static_cast<size_t>(lists.keyBlocks));
    const int64_t b = head / shape.kvHeads, firstHead = head % shape.kvHeads * group;
    for (int64_t h = firstHead; h < firstHead + group; ++h)
      for (int64_t r = 0; r < lists.rowBlocks; ++r)
        for (auto part : {lists.partialBlocks(lists.row(b, h, r)), lists.fullBlocks(lists.row(b, h, r))})
          for (int32_t block : part)
            named[static_cast<size_t>(block)] = true;
    for (int64_t j = 0; j < shape.keys; ++j) {
      if (named[static_cast<size_t>(j / lists.keyBlock)])
        continue;
      for (int64_t d = 0; d < shape.headDim; ++d)
        setValue(tensors.k, (head * shape.keys + j) * shape.headDim + d, kNaN);
      for (int64_t d = 0; d < shape.valueDim; ++d)
        setValue(tensors.v, (head * shape.keys + j) * shape.valueDim + d, kNaN);
    }
  }
}

Layout layoutOf(StrideKind kind, std::vector<int64_t> shape) {
  switch (kind) {
  case StrideKind::Contiguous:
    return Layout::contiguous(std::move(shape));
  case StrideKind::Gaps:
    return Layout::withGaps(std::move(shape), 3);
  case StrideKind::TokenMajor:
    break;
  }
  return Layout::withAxesSwapped(std::move(shape), 1, 2);
}

AttentionProblem makeProblem(const AttentionCase &attention, const Tensors &tensors, const BlockLists &lists,
                             float scale) {
  AttentionProblem problem;
  problem.shape = attention.shape;
  problem.q = &tensors.q;
  problem.k = &tensors.k;
  problem.v = &tensors.v;
  problem.lists = &lists;
  problem.scale = scale;
  if (attention.spec.score->score)
    problem.score = [&shape = attention.shape, &hook = *attention.spec.score](double s, int64_t b, int64_t h, int64_t i,
                                                                              int64_t j) {
      return hook.score(shape, s, b, h, i, j);
    };
  if (attention.spec.mask->keeps)
    problem.keep = [&shape = attention.shape, &hook = *attention.spec.mask](
                       int64_t b, int64_t h, int64_t i, int64_t j) { return hook.keeps(shape, b, h, i, j); };
  return problem;
}

/// A launch of `kernel`, compiled for `spec`.
Attend launchOf(const AttentionSpec &spec, Machine &machine, const JitKernel &kernel) {
  return [&machine, &kernel, listed = spec.rows.empty()](const GuardedTensor &q, const GuardedTensor &k,
                                                         const GuardedTensor &v, const BlockLists &lists,
                                                         GuardedTensor &o, GuardedTensor &lse, float scale) {
    std::vector<LaunchArgument> arguments = {Input{&q}, Input{&k}, Input{&v}};
    if (listed)
      arguments.emplace_back(&lists);
    arguments.insert(arguments.end(), {Output{&o}, Output{&lse}, scale});
    return machine.launch(kernel, arguments);
  };
}

} // namespace

KernelSpec kernelOf(const AttentionSpec &spec) {
  return {.file = spec.packed ? "attention_packed.tile" : "attention_forward.tile",
          .params = paramsOf(spec),
          .hooks = hooksOf(spec)};
}

std::vector<std::string> runAttention(const AttentionCase &attention, Machine &machine, const Attend &attend) {
  const AttentionShape &shape = attention.shape;
  auto lists = makeLists(attention);
  if (!lists)
    return {lists.error().render()};
  const BlockLists ofHeads = listsOfHeads(shape, *lists);
  Tensors tensors = makeTensors(attention, machine.pool());
  const float scale = chooseScale(attention, tensors);
  if (attention.nanOutsideLists)
    poisonUnlisted(shape, ofHeads, tensors);
  if (attention.nanQueryRow >= 0)
    for (int64_t head = 0; head < shape.batch * shape.heads; ++head)
      setValue(tensors.q, (head * shape.queries + attention.nanQueryRow + 1) * shape.headDim - 1, kNaN);

  auto place = [&](const HostTensor &tensor) {
    return GuardedTensor(tensor, layoutOf(attention.strides, tensor.shape()));
  };
  GuardedTensor q = place(tensors.q), k = place(tensors.k), v = place(tensors.v);
  GuardedTensor o(attention.spec.dtype,
                  layoutOf(attention.strides, {shape.batch, shape.heads, shape.queries, shape.valueDim}));
  GuardedTensor lse(DType::F32, attention.strides == StrideKind::Contiguous
                                    ? Layout::contiguous({shape.batch, shape.heads, shape.queries})
                                    : Layout::withGaps({shape.batch, shape.heads, shape.queries}, 1));
  std::vector<unsigned char> listO, listLse;
  if (!attention.spec.rows.empty()) {
    AttentionSpec listed = attention.spec;
    listed.rows.clear();
    auto done = machine.compile(kernelOf(listed)).and_then([&](const JitKernel &other) {
      return launchOf(listed, machine, other)(q, k, v, *lists, o, lse, scale);
    });
    if (!done)
      return {done.error().render()};
    listO = o.memory(), listLse = lse.memory();
  }
  std::vector<unsigned char> firstO, firstLse;
  for (int launch = 0; launch < attention.launches; ++launch) {
    if (auto done = attend(q, k, v, *lists, o, lse, scale); !done)
      return {done.error().render()};
    if (!attention.spec.rows.empty() && (o.memory() != listO || lse.memory() != listLse))
      return {"the pattern gives other bits than the lists of the same blocks"};
    if (launch > 0 && (o.memory() != firstO || lse.memory() != firstLse))
      return {fmt::format("launch {} gave other bits than the first", launch + 1)};
    firstO = o.memory();
    firstLse = lse.memory();
  }
  auto report =
      checkAttention(makeProblem(attention, tensors, ofHeads, scale), o.gather(), lse.gather(), machine.pool());
  if (!report)
    return {report.error().render()};
  return report->passed ? std::vector<std::string>{} : report->reasons;
}

std::vector<std::string> runAttention(const AttentionCase &attention, Machine &machine, const JitKernel &kernel) {
  return runAttention(attention, machine, launchOf(attention.spec, machine, kernel));
}

TestCase attentionCase(const AttentionSpec &spec, uint64_t seed) {
  AttentionCase attention = makeAttentionCase(spec, seed);
  TestCase result{attention.describe(), kernelOf(spec), [attention](Machine &machine, const JitKernel &kernel) {
                    return runAttention(attention, machine, kernel);
                  }};
  result.products = attention.products();
  if (!spec.rows.empty()) {
    AttentionSpec listed = spec;
    listed.rows.clear();
    result.others.push_back(kernelOf(listed));
  }
  return result;
}

/// `count` cases that take turns with `specs`.
static std::vector<TestCase> casesOf(const char *group, const std::vector<AttentionSpec> &specs, uint64_t seed,
                                     int64_t count) {
  std::vector<TestCase> cases;
  for (int64_t index = 0; index < count; ++index) {
    const AttentionSpec &spec = specs[static_cast<size_t>(index) % specs.size()];
    TestCase &added = cases.emplace_back(attentionCase(spec, seed * 1000003 + static_cast<uint64_t>(index)));
    added.name = fmt::format("{}/{} {}", group, index, added.name);
  }
  return cases;
}

std::vector<TestCase> attentionCases(uint64_t seed, int64_t count) {
  return casesOf("attention", attentionSpecs(seed), seed, count);
}

std::vector<TestCase> packedCases(uint64_t seed) {
  constexpr int64_t kCasesOfSpec = 6;
  const std::vector<AttentionSpec> specs = packedSpecs();
  return casesOf("packed", specs, seed, kCasesOfSpec * static_cast<int64_t>(specs.size()));
}

} // namespace lacuna::numeric
