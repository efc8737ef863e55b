#include "lacuna/Runtime/Reference.h"
#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/Random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Tensors, lists and pool of one attention.
struct Case {
  ThreadPool pool{2};
  HostTensor q, k, v;
  BlockLists lists;
  AttentionProblem problem;

  Case(AttentionShape shape, DType dtype, const char *pattern, int64_t queryBlock, int64_t keyBlock) {
    q = *HostTensor::allocate(dtype, {shape.batch, shape.heads, shape.queries, shape.headDim});
    k = *HostTensor::allocate(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim});
    v = *HostTensor::allocate(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim});
    fillNormal(q, 1, 0, pool);
    fillNormal(k, 1, 1, pool);
    fillNormal(v, 1, 2, pool);
    Pattern parsed = *Pattern::parse(pattern);
    lists = *parsed.build(shape, queryBlock, keyBlock, 3);
    problem.shape = shape;
    problem.q = &q, problem.k = &k, problem.v = &v, problem.lists = &lists;
    problem.scale = 1.0f / std::sqrt(static_cast<float>(shape.headDim));
    if (!parsed.keepHook().empty())
      problem.keep = [parsed, shape](int64_t, int64_t, int64_t i, int64_t j) { return parsed.keeps(shape, i, j); };
  }

  /// One row by two plain loops; returns the LSE.
  double naiveRow(int64_t b, int64_t h, int64_t i, std::vector<double> &o) const {
    const AttentionShape &s = problem.shape;
    int64_t g = h / (s.heads / s.kvHeads), row = lists.row(b, h, i / lists.queryBlock);
    auto has = [](auto part, int64_t block) { return std::find(part.begin(), part.end(), block) != part.end(); };
    std::vector<double> scores;
    std::vector<int64_t> keys;
    for (int64_t j = 0; j < s.keys; ++j) {
      bool partial = has(lists.partialBlocks(row), j / lists.keyBlock),
           full = has(lists.fullBlocks(row), j / lists.keyBlock);
      if (!partial && !full)
        continue;
      double score = 0;
      for (int64_t d = 0; d < s.headDim; ++d)
        score += double(q.valueAt(((b * s.heads + h) * s.queries + i) * s.headDim + d)) *
                 double(k.valueAt(((b * s.kvHeads + g) * s.keys + j) * s.headDim + d));
      score *= problem.scale;
      if (problem.score)
        score = problem.score(score, b, h, i, j);
      if (partial && problem.keep && !problem.keep(b, h, i, j))
        score = -kInfinity;
      scores.push_back(score);
      keys.push_back(j);
    }
    o.assign(static_cast<size_t>(s.valueDim), 0);
    double largest = scores.empty() ? -kInfinity : *std::max_element(scores.begin(), scores.end());
    if (largest == -kInfinity)
      return -kInfinity;
    double sum = 0;
    for (double score : scores)
      sum += std::exp(score - largest);
    for (size_t n = 0; n < keys.size(); ++n)
      for (int64_t d = 0; d < s.valueDim; ++d)
        o[static_cast<size_t>(d)] += std::exp(scores[n] - largest) / sum *
                                     double(v.valueAt(((b * s.kvHeads + g) * s.keys + keys[n]) * s.valueDim + d));
    return largest + std::log(sum);
  }

  void compareAllRows() const {
    const AttentionShape &s = problem.shape;
    for (int64_t b = 0; b < s.batch; ++b)
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t i = 0; i < s.queries; ++i) {
          std::vector<double> o;
          double lse = naiveRow(b, h, i, o);
          int64_t rows[] = {i};
          ReferenceRows found = computeReference(problem, b, h, i / lists.queryBlock, rows);
          REQUIRE((found.lse[0] == lse || std::abs(found.lse[0] - lse) < 1e-12 * std::max(1.0, std::abs(lse))));
          for (size_t d = 0; d < o.size(); ++d) {
            REQUIRE(std::abs(found.o[d] - o[d]) < 1e-12);
            REQUIRE(std::abs(found.eager[d] - o[d]) < 0.05);
          }
        }
  }

  /// What a perfect kernel, up to its last rounding, would write.
  std::pair<HostTensor, HostTensor> perfect() const {
    const AttentionShape &s = problem.shape;
    HostTensor o = *HostTensor::allocate(q.dtype(), {s.batch, s.heads, s.queries, s.valueDim});
    HostTensor lse = *HostTensor::allocate(DType::F32, {s.batch, s.heads, s.queries});
    for (int64_t row = 0; row < lse.elements(); ++row) {
      int64_t i = row % s.queries, head = row / s.queries;
      int64_t rows[] = {i};
      ReferenceRows exact = computeReference(problem, head / s.heads, head % s.heads, i / lists.queryBlock, rows);
      lse.as<float>()[static_cast<size_t>(row)] = static_cast<float>(exact.lse[0]);
      for (int64_t d = 0; d < s.valueDim; ++d)
        o.as<uint16_t>()[static_cast<size_t>(row * s.valueDim + d)] =
            floatTo16(q.dtype(), static_cast<float>(exact.o[static_cast<size_t>(d)]));
    }
    return {std::move(o), std::move(lse)};
  }
};

AttentionShape shapeOf(int64_t batch, int64_t heads, int64_t kvHeads, int64_t queries, int64_t keys, int64_t headDim,
                       int64_t valueDim) {
  return {batch, heads, kvHeads, queries, keys, headDim, valueDim};
}

} // namespace

TEST_CASE("the reference equals two plain loops") {
  Case(shapeOf(1, 1, 1, 1, 1, 8, 8), DType::BF16, "dense", 16, 16).compareAllRows();
  Case(shapeOf(2, 4, 2, 37, 61, 24, 40), DType::BF16, "dense", 16, 32).compareAllRows();
  Case(shapeOf(1, 2, 1, 61, 37, 16, 16), DType::F16, "causal", 16, 16).compareAllRows(); // the first rows are empty
  Case(shapeOf(1, 2, 2, 50, 90, 64, 8), DType::F16, "window:20:3", 32, 16).compareAllRows();
  Case(shapeOf(2, 2, 1, 40, 100, 8, 72), DType::BF16, "random:0.4", 16, 16).compareAllRows();
}

TEST_CASE("the reference asks the hooks") {
  Case hooked(shapeOf(2, 2, 1, 33, 50, 16, 16), DType::BF16, "causal", 16, 16);
  hooked.problem.score = [](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
    return 2 * std::tanh(s / 2) - 0.1 * double(h + 1) * double(i - j) + double(b);
  };
  hooked.problem.keep = [](int64_t, int64_t h, int64_t i, int64_t j) { return (i + j + h) % 3 != 0; };
  hooked.compareAllRows();
}

TEST_CASE("full blocks are not masked, unlisted ones never touch the result") {
  Case one(shapeOf(1, 1, 1, 16, 64, 16, 16), DType::BF16, "dense", 16, 16);
  one.lists = *blockListsFromCsr(one.problem.shape, 16, 16, {0, 2}, {1}, {0, 2});
  one.problem.keep = [](int64_t, int64_t, int64_t, int64_t j) { return j >= 8; };
  for (int64_t j : {16, 31, 48, 63})
    for (int64_t d = 0; d < 16; ++d)
      one.k.as<uint16_t>()[static_cast<size_t>(j * 16 + d)] = one.v.as<uint16_t>()[static_cast<size_t>(j * 16 + d)] =
          0x7fff;
  one.compareAllRows();
}

TEST_CASE("a perfect result passes, and the eager error is of the type's size") {
  for (DType dtype : {DType::BF16, DType::F16})
    for (const char *pattern : {"dense", "causal", "window:10", "random:0.3"}) {
      Case good(shapeOf(1, 2, 2, 100, 70, 32, 32), dtype, pattern, 32, 16);
      auto [o, lse] = good.perfect();
      Expected<CheckReport> report = checkAttention(good.problem, o, lse, good.pool);
      REQUIRE(report);
      CHECK(report->passed);
      CHECK(report->reasons.empty());
      CHECK(report->rowsChecked == 200);
      CHECK(!report->sampled);
      CHECK(report->relFrobenius < (dtype == DType::BF16 ? 2e-3 : 3e-4));
      CHECK(report->eagerRelFrobenius > 0.5 * report->relFrobenius);
      CHECK(report->eagerRelFrobenius < 4 * report->relFrobenius);
      CHECK(report->lseMaxAbs < 1e-5);
    }
}

TEST_CASE("wrong results do not pass, with a reason") {
  Case wrong(shapeOf(1, 2, 1, 50, 40, 16, 16), DType::F16, "causal", 16, 16); // rows 0 to 9 are empty
  auto reasonAfter = [&](auto spoil) {
    auto [o, lse] = wrong.perfect();
    spoil(o.as<uint16_t>(), lse.as<float>());
    CheckReport report = *checkAttention(wrong.problem, o, lse, wrong.pool);
    CHECK(!report.passed);
    REQUIRE(!report.reasons.empty());
    return report.reasons[0];
  };
  const size_t row = 50 + 30; // head 1, row 30
  CHECK(reasonAfter([&](auto o, auto) { o[row * 16] ^= 0x8000; }).find("relative Frobenius error of O") !=
        std::string::npos);
  CHECK(reasonAfter([&](auto, auto lse) { lse[row] += 0.1f; }).find("the largest error of LSE is 0.1") !=
        std::string::npos);
  CHECK(reasonAfter([&](auto o, auto) { o[row * 16 + 3] = 0x7e00; }).find("head 1, row 30: O[3] is nan") !=
        std::string::npos);
  CHECK(reasonAfter([&](auto, auto lse) { lse[row] = std::nanf(""); }).find("head 1, row 30: LSE is nan") !=
        std::string::npos);
  CHECK(reasonAfter([&](auto o, auto) { o[5 * 16] = 1; }).find("row 5: O[0] is 5.9") != std::string::npos);
  CHECK(reasonAfter([&](auto, auto lse) { lse[5] = -1e30f; }).find("expected -inf (an empty row)") !=
        std::string::npos);
  CHECK(reasonAfter([&](auto o, auto) { std::fill(o.begin(), o.end(), 0); }).find("is 1, above 0.0008") !=
        std::string::npos);
}

TEST_CASE("NaN propagates: it is expected where float64 has it, and missing it is an error") {
  Case poisoned(shapeOf(1, 1, 1, 32, 32, 16, 16), DType::BF16, "causal", 16, 16);
  poisoned.v.as<uint16_t>()[20 * 16 + 2] = 0x7fff; // key 20 lies in a partial block of rows 16 to 31, seen or masked
  auto [o, lse] = poisoned.perfect();
  CHECK(std::isnan(o.valueAt(16 * 16 + 2)));
  CHECK(std::isnan(o.valueAt(31 * 16 + 2)));
  CHECK(!std::isnan(o.valueAt(15 * 16 + 2)));
  CHECK(!std::isnan(o.valueAt(31 * 16 + 3)));
  CHECK(checkAttention(poisoned.problem, o, lse, poisoned.pool)->passed);
  o.as<uint16_t>()[31 * 16 + 2] = 0;
  CheckReport report = *checkAttention(poisoned.problem, o, lse, poisoned.pool);
  CHECK(!report.passed);
  CHECK(report.reasons[0] == "batch 0, head 0, row 31: O[2] is 0, expected nan");

  Case score(shapeOf(1, 1, 1, 16, 16, 16, 16), DType::BF16, "dense", 16, 16);
  score.q.as<uint16_t>()[3 * 16] = 0x7fff;
  auto [o2, lse2] = score.perfect();
  CHECK(std::isnan(lse2.valueAt(3)));
  CHECK(std::isnan(o2.valueAt(3 * 16)));
  CHECK(checkAttention(score.problem, o2, lse2, score.pool)->passed);
}

TEST_CASE("a large problem is sampled: random rows, and the first and last row block") {
  Case large(shapeOf(1, 2, 1, 500, 100, 16, 16), DType::BF16, "dense", 32, 32);
  auto [o, lse] = large.perfect();
  CheckOptions options;
  options.fullCheckFlops = 1;
  options.sampledRows = 20;
  CheckReport report = *checkAttention(large.problem, o, lse, large.pool, options);
  CHECK(report.passed);
  CHECK(report.sampled);
  CHECK(report.rowsTotal == 1000);
  CHECK(report.rowsChecked >= 2 * (32 + 20));
  CHECK(report.rowsChecked <= 2 * (32 + 20 + 20));
  lse.as<float>()[999] = 0;
  CHECK(!checkAttention(large.problem, o, lse, large.pool, options)->passed);
}

TEST_CASE("extreme scores keep to their bounds") {
  Case extreme(shapeOf(1, 1, 1, 64, 96, 64, 64), DType::BF16, "dense", 16, 32);
  extreme.problem.scale = 250; // scores of some thousands
  auto [o, lse] = extreme.perfect();
  CheckReport report = *checkAttention(extreme.problem, o, lse, extreme.pool);
  CHECK(report.passed);
  extreme.compareAllRows();
}

TEST_CASE("tensors that do not fit are refused by name") {
  Case fits(shapeOf(1, 2, 1, 20, 30, 16, 16), DType::BF16, "dense", 16, 16);
  auto [o, lse] = fits.perfect();
  CHECK(checkAttention(fits.problem, lse, o, fits.pool).error().message ==
        "o must be bf16 [1, 2, 20, 16] and lse f32 [1, 2, 20]");
  fits.problem.k = &fits.q;
  CHECK(fits.problem.check().error().message ==
        "k is bf16 1 2 20 16, and the attention's extents ask for bf16 1 1 30 16");
  fits.problem.k = nullptr;
  CHECK(fits.problem.check().error().message == "k is nothing, and the attention's extents ask for bf16 1 1 30 16");
  fits.problem.q = &lse;
  CHECK(fits.problem.check().error().message == "q is f32; give bf16 or f16");
  fits.problem.q = &fits.q;
  fits.problem.lists = nullptr;
  CHECK(fits.problem.check().error().message == "the attention has no block lists");
}

TEST_CASE("random tensors are normal and do not depend on the threads") {
  ThreadPool one(1), three(3);
  HostTensor a = *HostTensor::allocate(DType::F32, {100001}), b = *HostTensor::allocate(DType::F32, {100001});
  fillNormal(a, 7, 1, one);
  fillNormal(b, 7, 1, three);
  CHECK(std::equal(a.as<float>().begin(), a.as<float>().end(), b.as<float>().begin()));
  double mean = 0, square = 0, fourth = 0;
  for (float x : a.as<float>()) {
    mean += x / 100001.0;
    square += double(x) * x / 100001.0;
    fourth += double(x) * x * x * x / 100001.0;
  }
  CHECK(std::abs(mean) < 0.02);
  CHECK(square == doctest::Approx(1).epsilon(0.02));
  CHECK(fourth == doctest::Approx(3).epsilon(0.05));
  fillNormal(b, 7, 2, one);
  CHECK(!std::equal(a.as<float>().begin(), a.as<float>().end(), b.as<float>().begin()));
}
