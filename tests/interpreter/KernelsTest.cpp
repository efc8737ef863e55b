// The library's other kernels, interpreted and compared with float64.
#include "Compare.h"
#include "Harness.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

using namespace lacuna;
using namespace lacuna::interpreter_tests;
using namespace lacuna::numeric;
using namespace lacuna::runtime;

namespace {

struct Placed {
  HostTensor values;
  std::vector<double> doubles;
  GuardedTensor memory;
  Placed(DType dtype, std::vector<int64_t> shape, uint64_t seed)
      : values(normalTensor(dtype, std::move(shape), seed, 0, pool())), doubles(toDoubles(values)),
        memory(values, Layout::withGaps(values.shape(), 1)) {}
};

/// Runs in every schedule and compares each result.
void checkKernel(Expected<WarpKernel> kernel, const std::vector<ArgumentValue> &arguments, GuardedTensor &out,
                 std::span<const double> wanted, uint64_t seeds = 2) {
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  for (const InterpreterOptions &schedule : schedules(seeds)) {
    out.poison();
    auto report = interpretWarp(kernel->func(), kernel->metadata, arguments, schedule);
    REQUIRE_MESSAGE(report.has_value(), report.error().render());
    CHECK(!out.findStrayWrite());
    const std::vector<std::string> wrong = compare(out.gather(), wanted, boundsOf(out.dtype()));
    CHECK_MESSAGE(wrong.empty(), wrong.front());
  }
}

Names params(DType dtype, std::initializer_list<std::pair<const char *, int64_t>> numbers) {
  Names result{{"T", std::string(dtypeName(dtype))}};
  for (const auto &[name, value] : numbers)
    result[name] = fmt::format("{}", value);
  return result;
}

/// Lists for the sparse kernels: some rows empty, partial and full blocks by chance.
BlockLists unevenLists(const CaseOptions &options) {
  return makeLists(makeCase(options)).value();
}

/// Calls body(j) for every key that row i sees.
void forEachKey(const BlockLists &lists, int64_t keys, int64_t b, int64_t h, int64_t i,
                const std::function<bool(int64_t)> &keep, const std::function<void(int64_t)> &body) {
  const int64_t row = lists.row(b, h, i / lists.queryBlock);
  for (bool partial : {true, false})
    for (int64_t block : partial ? lists.partialBlocks(row) : lists.fullBlocks(row))
      for (int64_t j = block * lists.keyBlock; j < std::min(keys, (block + 1) * lists.keyBlock); ++j)
        if (!partial || !keep || keep(j))
          body(j);
}

double dot(const std::vector<double> &x, int64_t xRow, const std::vector<double> &y, int64_t yRow, int64_t length) {
  double sum = 0;
  for (int64_t d = 0; d < length; ++d)
    sum += x[static_cast<size_t>(xRow * length + d)] * y[static_cast<size_t>(yRow * length + d)];
  return sum;
}

} // namespace

// NOLINTBEGIN(readability-identifier-naming): extents and params have the kernels' own names.

TEST_CASE("matmul with epilogues") {
  struct Case {
    DType dtype;
    int64_t batch, m, n, k, BM, BN, BK;
    const char *activation;
    double (*apply)(double x, int64_t i, int64_t j);
  };
  const Case kCases[] = {
      {DType::BF16, 1, 17, 33, 65, 64, 64, 64, "", [](double x, int64_t, int64_t) { return x; }},
      {DType::F16, 2, 129, 127, 200, 128, 128, 64, "relu", [](double x, int64_t, int64_t) { return std::max(x, 0.0); }},
      {DType::BF16, 1, 200, 130, 129, 192, 64, 128, "(i + j) % 2 == 0 ? x : 0.25 * x - 1.0",
       [](double x, int64_t i, int64_t j) { return (i + j) % 2 == 0 ? x : 0.25 * x - 1; }},
  };
  for (const Case &given : kCases) {
    Placed a(given.dtype, {given.batch, given.m, given.k}, 1), b(given.dtype, {given.batch, given.k, given.n}, 2);
    Placed bias(DType::F32, {given.n}, 3);
    GuardedTensor c(given.dtype, Layout::rowsPadded({given.batch, given.m, given.n}));
    const float alpha = 1 / std::sqrt(static_cast<float>(given.k));
    std::vector<double> wanted(static_cast<size_t>(given.batch * given.m * given.n));
    for (int64_t z = 0; z < given.batch; ++z)
      addProduct(wanted.data() + z * given.m * given.n, a.doubles.data() + z * given.m * given.k,
                 b.doubles.data() + z * given.k * given.n, given.m, given.n, given.k, false);
    for (size_t at = 0; at < wanted.size(); ++at) {
      const int64_t i = static_cast<int64_t>(at) / given.n % given.m, j = static_cast<int64_t>(at) % given.n;
      wanted[at] = given.apply(alpha * wanted[at] + bias.doubles[static_cast<size_t>(j)], i, j);
    }
    Names hooks;
    if (*given.activation)
      hooks["activation"] = given.activation;
    checkKernel(WarpKernel::compile("matmul.tile",
                                    params(given.dtype, {{"BM", given.BM}, {"BN", given.BN}, {"BK", given.BK}}), hooks),
                {input(a.memory), input(b.memory), input(bias.memory), output(c), alpha}, c, wanted);
  }
}

TEST_CASE("block-sparse matmul") {
  for (int64_t keyBlock : {64, 128}) {
    const int64_t heads = 2, m = 130, n = 65, k = 193;
    const BlockLists lists = unevenLists(
        {.BM = 64, .KB = keyBlock, .batch = 1, .heads = heads, .M = m, .N = k, .lists = ListKind::Uneven, .seed = 5});
    Placed a(DType::BF16, {1, heads, m, k}, 1), b(DType::BF16, {1, heads, k, n}, 2);
    GuardedTensor c(DType::BF16, Layout::rowsPadded({1, heads, m, n}));
    std::vector<double> wanted(static_cast<size_t>(heads * m * n));
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < m; ++i)
        forEachKey(lists, k, 0, h, i, {}, [&](int64_t j) {
          addProduct(wanted.data() + (h * m + i) * n, a.doubles.data() + (h * m + i) * k + j,
                     b.doubles.data() + (h * k + j) * n, 1, n, 1, false);
        });
    checkKernel(
        WarpKernel::compile("block_sparse_matmul.tile",
                            params(DType::BF16, {{"BM", 64}, {"BN", 64}, {"BK", 64}, {"QB", 64}, {"KB", keyBlock}})),
        {input(a.memory), input(b.memory), lists.view(), output(c)}, c, wanted);
  }
}

TEST_CASE("sigmoid attention") {
  const int64_t heads = 2, M = 130, N = 140, D = 40, DV = 72;
  const BlockLists lists = unevenLists(
      {.BM = 128, .BN = 32, .batch = 1, .heads = heads, .M = M, .N = N, .lists = ListKind::Uneven, .seed = 9});
  Placed q(DType::F16, {1, heads, M, D}, 1), k(DType::F16, {1, 1, N, D}, 2), v(DType::F16, {1, 1, N, DV}, 3);
  GuardedTensor o(DType::F16, Layout::rowsPadded({1, heads, M, DV}));
  const float scale = 1 / std::sqrt(static_cast<float>(D)), shift = 0.5f;
  std::vector<double> wanted(static_cast<size_t>(heads * M * DV));
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t i = 0; i < M; ++i)
      forEachKey(
          lists, N, 0, h, i, [&](int64_t j) { return j <= i + N - M; },
          [&](int64_t j) {
            const double weight = 1 / (1 + std::exp(-(scale * dot(q.doubles, h * M + i, k.doubles, j, D) + shift)));
            for (int64_t d = 0; d < DV; ++d)
              wanted[static_cast<size_t>((h * M + i) * DV + d)] += weight * v.doubles[static_cast<size_t>(j * DV + d)];
          });
  checkKernel(
      WarpKernel::compile("sigmoid_attention.tile",
                          params(DType::F16, {{"D", D}, {"DV", DV}, {"BM", 128}, {"BN", 32}, {"QB", 128}, {"KB", 32}}),
                          {{"keep", "j <= i + N - M"}}),
      {input(q.memory), input(k.memory), input(v.memory), lists.view(), output(o), scale, shift}, o, wanted);
}

TEST_CASE("attention with two products for the scores") {
  const int64_t M = 70, N = 90, D = 40, R = 32, DV = 64;
  const BlockLists lists = unevenLists({.BN = 32, .M = M, .N = N});
  Placed q(DType::BF16, {1, 1, M, D}, 1), k(DType::BF16, {1, 1, N, D}, 2), v(DType::BF16, {1, 1, N, DV}, 3);
  Placed qr(DType::BF16, {1, 1, M, R}, 4), kr(DType::BF16, {1, N, R}, 5);
  GuardedTensor o(DType::BF16, Layout::rowsPadded({1, 1, M, DV})), lse(DType::F32, Layout::contiguous({1, 1, M}));
  const float scale = 0.1f;
  std::vector<double> wanted(static_cast<size_t>(M * DV));
  for (int64_t i = 0; i < M; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < N; ++j) {
      const double weight =
          std::exp(scale * (dot(q.doubles, i, k.doubles, j, D) + dot(qr.doubles, i, kr.doubles, j, R)));
      sum += weight;
      for (int64_t d = 0; d < DV; ++d)
        wanted[static_cast<size_t>(i * DV + d)] += weight * v.doubles[static_cast<size_t>(j * DV + d)];
    }
    for (int64_t d = 0; d < DV; ++d)
      wanted[static_cast<size_t>(i * DV + d)] /= sum;
  }
  checkKernel(
      WarpKernel::compile(
          "two_product_attention.tile",
          params(DType::BF16, {{"D", D}, {"R", R}, {"DV", DV}, {"BM", 64}, {"BN", 32}, {"QB", 64}, {"KB", 32}})),
      {input(q.memory), input(qr.memory), input(k.memory), input(kr.memory), input(v.memory), lists.view(), output(o),
       output(lse), scale},
      o, wanted);
}

TEST_CASE("pooled scores: a reduction over the whole thread block") {
  const int64_t M = 200, N = 150, D = 64, BN = 64;
  for (bool mean : {false, true})
    for (int64_t BM : {64, 128, 192}) {
      Placed q(DType::BF16, {1, 1, M, D}, 1), k(DType::BF16, {1, 1, N, D}, 2);
      const int64_t rows = (M + BM - 1) / BM, columns = (N + BN - 1) / BN;
      GuardedTensor p(DType::F32, Layout::withGaps({1, 1, rows, columns}, 1));
      const float scale = 0.125f;
      std::vector<double> wanted(static_cast<size_t>(rows * columns), mean ? 0 : -INFINITY);
      for (int64_t i = 0; i < M; ++i)
        for (int64_t j = 0; j < N; ++j) {
          const int64_t r = i / BM, c = j / BN;
          const int64_t count = std::min(BM, M - r * BM) * std::min(BN, N - c * BN);
          double &cell = wanted[static_cast<size_t>(r * columns + c)];
          const double s = scale * dot(q.doubles, i, k.doubles, j, D);
          cell = mean ? cell + s / static_cast<double>(count) : std::max(cell, s);
        }
      checkKernel(WarpKernel::compile("pooled_scores.tile", params(DType::BF16, {{"D", D}, {"BM", BM}, {"BN", BN}}), {},
                                      mean ? "pooled_mean" : "pooled_max"),
                  {input(q.memory), input(k.memory), output(p), scale}, p, wanted);
    }
}

TEST_CASE("a fill that nobody consumes") {
  auto kernel = WarpKernel::compile("matmul.tile", params(DType::BF16, {{"BM", 64}, {"BN", 64}, {"BK", 64}}));
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  Placed a(DType::BF16, {1, 64, 128}, 1), b(DType::BF16, {1, 128, 64}, 2), bias(DType::F32, {64}, 3);
  GuardedTensor c(DType::BF16, Layout::rowsPadded({1, 64, 64}));
  // The consumers take the first of two steps.
  mlir::scf::ForOp loop = kernel->find<warp::RingReleaseOp>()->getParentOfType<mlir::scf::ForOp>();
  REQUIRE(loop);
  loop.getUpperBoundMutable().assign(loop.getStep());
  const std::vector<ArgumentValue> arguments = {input(a.memory), input(b.memory), input(bias.memory), output(c), 1.0f};
  for (auto [schedule, wanted] : {std::pair(InterpreterSchedule::Eager, "is never consumed by consumer warpgroup 0"),
                                  std::pair(InterpreterSchedule::Late, "a copy lands when the thread block is gone")}) {
    InterpreterOptions options;
    options.schedule = schedule;
    auto report = interpretWarp(kernel->func(), kernel->metadata, arguments, options);
    REQUIRE(!report.has_value());
    CAPTURE(report.error().message);
    CHECK(report.error().message.find("fill 1 of ring 'a' (slot 1) is never") != std::string::npos);
    CHECK(report.error().message.find(wanted) != std::string::npos);
  }
}

// NOLINTEND(readability-identifier-naming)
