// The facade: compile from a text or a file, with params and hooks; launch on host memory; both variants of a scalar;
// refusals.

#include "Runtime/ScratchDirectory.h"
#include "TwiceKernel.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// y = exp(scale * x - the row's largest scale * x), through a hook.
constexpr const char *kSoftExp = R"(
param D in {16, 32} = 16

hook after(v) -> f32 = v

kernel soft_exp(x: f32[M, D], y: out f32[M, D], scale: f32)
  where M > 1
  grid (i: ceildiv(M, 16))
{
  let s = (load x[i * 16 :+ 16, :]) * scale
  let top = rowmax(s)
  store y[i * 16 :+ 16, :] = map (v in exp(s - top)) => after(v)
}
)";

struct Buffers {
  static constexpr int64_t kRows = 37;
  int64_t width;
  std::vector<float> x, y;

  explicit Buffers(int64_t width = 16) : width(width), x(kRows * width), y(kRows * width, -1) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = std::sin(static_cast<float>(i * i % 101));
  }
  std::vector<ArgumentValue> arguments(float scale) {
    return {TensorView{x.data(), DType::F32, {kRows, width}, {width, 1}},
            TensorView{y.data(), DType::F32, {kRows, width}, {width, 1}}, scale};
  }
  /// The largest difference of y and `factor` times what it should be.
  double error(float scale, double factor = 1) const {
    double worst = 0;
    for (int64_t r = 0; r < kRows; ++r) {
      double top = -INFINITY;
      for (int64_t c = 0; c < width; ++c)
        top = std::max(top, double(scale) * x[r * width + c]);
      for (int64_t c = 0; c < width; ++c)
        worst = std::max(worst, std::abs(factor * std::exp(double(scale) * x[r * width + c] - top) - y[r * width + c]));
    }
    return worst;
  }
};

JitKernel softExp(KernelSpec spec = {.file = "soft_exp.tile", .source = kSoftExp}) {
  auto kernel = Jit::forCpu().compile(spec);
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  return *kernel;
}

} // namespace

TEST_CASE("a positive scale runs the code first made, any other the general one; both are right") {
  JitKernel kernel = softExp();
  CHECK(kernel.metadata().positiveScalars == std::vector<std::string>{"scale"});
  CHECK(kernel.metadata().target == "cpu");
  for (float scale : {0.7f, -1.5f, 0.0f, 3.0f}) {
    Buffers buffers;
    auto done = kernel.launch(buffers.arguments(scale));
    REQUIRE_MESSAGE(done, done.error().render());
    CAPTURE(scale);
    CHECK(buffers.error(scale) < 1e-5);
  }
}

TEST_CASE("params and hooks, by expression, and a file") {
  ScratchDirectory scratch;
  std::string file = scratch / "soft_exp.tile";
  writeFileAt(file, kSoftExp);
  JitKernel kernel = softExp({.file = file, .params = {{"D", "32"}}, .hooks = {{"after", "v * 2"}}});
  Buffers buffers(32);
  REQUIRE(kernel.launch(buffers.arguments(1)));
  CHECK(buffers.error(1, 2) < 1e-5);
  CHECK(softExp({.file = "", .source = kSoftExp}).metadata().kernel == "soft_exp");
}

TEST_CASE("rows along two axes: what lies past the end of either never counts") {
  constexpr const char *kText = R"(
param R in 1..16 = 4   L in 1..16 = 8

kernel extremes(x: f32[H, M, 16], most: out f32[P, Q], total: out f32[P, Q], columns: out f32[P, Q, 16],
                rows: out f32[H, M], copy: out f32[H, M, 16])
  where P == ceildiv(H, R) && Q == ceildiv(M, L)
  grid (p: P, q: Q)
{
  let t = load x[p * R :+ R, q * L :+ L, :]
  store most[p, q] = amax(t)
  store total[p, q] = sum(exp(t))
  store columns[p, q, :] = rowmax(transpose(t))
  store rows[p * R :+ R, q * L :+ L] = rowmax(t)
  store copy[p * R :+ R, q * L :+ L, :] = map (v in t; r, j) => v + (p * R + r / L) * 100 + (q * L + r % L)
}
)";
  auto compiled = Jit::forCpu().compile({.file = "extremes.tile", .source = kText});
  REQUIRE_MESSAGE(compiled, compiled.error().render());
  constexpr int64_t kHeads = 6, kQueries = 21, kWidth = 16, kP = 2, kQ = 3, kR = 4, kL = 8;
  std::vector<float> x(kHeads * kQueries * kWidth), most(kP * kQ), total(kP * kQ), columns(kP * kQ * kWidth),
      rows(kHeads * kQueries), copy(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = -1 - static_cast<float>(i * 37 % 101); // below the zeros that lie past the ends
  auto done = compiled->launch({{TensorView::contiguous(x.data(), DType::F32, {kHeads, kQueries, kWidth}),
                                 TensorView::contiguous(most.data(), DType::F32, {kP, kQ}),
                                 TensorView::contiguous(total.data(), DType::F32, {kP, kQ}),
                                 TensorView::contiguous(columns.data(), DType::F32, {kP, kQ, kWidth}),
                                 TensorView::contiguous(rows.data(), DType::F32, {kHeads, kQueries}),
                                 TensorView::contiguous(copy.data(), DType::F32, {kHeads, kQueries, kWidth})}});
  REQUIRE_MESSAGE(done, done.error().render());
  std::vector<float> wantedMost(kP * kQ, -INFINITY), wantedColumns(columns.size(), -INFINITY);
  std::vector<double> wantedTotal(kP * kQ);
  for (int64_t h = 0; h < kHeads; ++h)
    for (int64_t i = 0; i < kQueries; ++i) {
      const int64_t tile = h / kR * kQ + i / kL, row = h * kQueries + i;
      float largest = -INFINITY;
      for (int64_t j = 0; j < kWidth; ++j) {
        const float value = x[row * kWidth + j];
        largest = std::max(largest, value);
        wantedColumns[tile * kWidth + j] = std::max(wantedColumns[tile * kWidth + j], value);
        wantedTotal[tile] += std::exp(double(value));
        REQUIRE(copy[row * kWidth + j] == value + static_cast<float>(h * 100 + i));
      }
      wantedMost[tile] = std::max(wantedMost[tile], largest);
      REQUIRE(rows[row] == largest);
    }
  CHECK(most == wantedMost);
  CHECK(columns == wantedColumns);
  for (size_t tile = 0; tile < wantedTotal.size(); ++tile)
    CHECK(total[tile] == doctest::Approx(wantedTotal[tile]));
}

TEST_CASE("wrong arguments are refused by name, and nothing runs") {
  JitKernel kernel = softExp();
  auto refusal = [&](auto change) {
    Buffers buffers;
    std::vector<ArgumentValue> arguments = buffers.arguments(1);
    change(arguments);
    auto done = kernel.launch(arguments);
    REQUIRE(!done);
    CHECK(done.error().code == ErrorCode::InvalidArgument);
    CHECK(buffers.y.front() == -1);
    return done.error().render();
  };
  auto view = [](ArgumentValue &value) -> TensorView & { return std::get<TensorView>(value); };
  CHECK(refusal([](auto &arguments) { arguments.pop_back(); }).find("3") != std::string::npos);
  CHECK(refusal([&](auto &arguments) { view(arguments[0]).dtype = DType::BF16; }).find("x") != std::string::npos);
  CHECK(refusal([&](auto &arguments) { view(arguments[0]).data = nullptr; }).find("x") != std::string::npos);
  CHECK(refusal([&](auto &arguments) { view(arguments[1]).shape[0] = 36; }).find("M") != std::string::npos);
  CHECK(refusal([&](auto &arguments) { view(arguments[1]).shape[1] = 8; }).find("y") != std::string::npos);
  CHECK(refusal([&](auto &arguments) { arguments[2] = int32_t(1); }).find("scale") != std::string::npos);
  CHECK(refusal([&](auto &arguments) {
          view(arguments[0]).shape[0] = view(arguments[1]).shape[0] = 1;
        }).find("M > 1") != std::string::npos);
}

TEST_CASE("what cannot be compiled is told with its place") {
  Jit jit = Jit::forCpu();
  CHECK(jit.target() == Target::Cpu);
  CHECK(jit.device() == nullptr);
  CHECK(jit.compile({}).error().code == ErrorCode::InvalidArgument);
  auto missing = jit.compile({.file = "/none/soft_exp.tile"});
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::NotFound);
  CHECK(missing.error().message == "cannot read '/none/soft_exp.tile': there is no such file");
  CHECK(jit.compile({.file = "/proc"}).error().code == ErrorCode::InvalidArgument);
  auto wrong = jit.compile({.file = "", .source = "kernel k() grid (i: 1) { let t = u }"});
  REQUIRE(!wrong);
  CHECK(wrong.error().message.find("<source>:1:") == 0);
  CHECK(jit.compile({.file = "s.tile", .source = kSoftExp, .params = {{"D", "64"}}}).error().code ==
        ErrorCode::InvalidArgument);
}

TEST_CASE("a kernel of a Jit that is gone still runs") {
  std::optional<Jit> jit = Jit::forCpu(std::make_shared<ThreadPool>(1));
  auto kernel = jit->compile({.file = "s.tile", .source = kSoftExp});
  REQUIRE(kernel);
  jit.reset();
  Buffers buffers;
  REQUIRE(kernel->launch(buffers.arguments(-2)));
  CHECK(buffers.error(-2) < 1e-5);
}

TEST_CASE("a product of operands that end at different places sums what both have") {
  constexpr const char *kShifted = R"(
kernel shifted(a: bf16[M, K], b: bf16[K, N], y: out f32[M, 16], s: i32, z: i32)
  grid (i: ceildiv(M, 16))
{
  store y[i * 16 :+ 16, :] = dot(load a[i * 16 :+ 16, s :+ 32], load b[z :+ 32, 0 :+ 16])
}
)";
  auto kernel = Jit::forCpu().compile({.file = "shifted.tile", .source = kShifted});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  constexpr int64_t kM = 16, kK = 24, kN = 16;
  constexpr uint16_t kOne = 0x3F80, kTwo = 0x4000, kInfinity = 0x7F80; // bf16
  for (auto [s, z] : {std::pair(0, 0), {0, 3}, {3, 0}, {20, 5}, {0, 24}, {40, 7}}) {
    // Terms that both have; what one of them has beyond is infinite, and must not matter.
    const int64_t terms = std::max<int64_t>(0, kK - std::max(s, z));
    std::vector<uint16_t> a, b;
    for (int64_t index = 0; index < kM * kK; ++index)
      a.push_back(index % kK < s + terms ? kOne : kInfinity);
    for (int64_t index = 0; index < kK * kN; ++index)
      b.push_back(index / kN < z + terms ? kTwo : kInfinity);
    std::vector<float> y(kM * kN, -1);
    auto done =
        kernel->launch(std::vector<ArgumentValue>{TensorView::contiguous(a.data(), DType::BF16, {kM, kK}),
                                                  TensorView::contiguous(b.data(), DType::BF16, {kK, kN}),
                                                  TensorView::contiguous(y.data(), DType::F32, {kM, kN}), s, z});
    REQUIRE_MESSAGE(done, done.error().render());
    CAPTURE(s);
    CAPTURE(z);
    for (float value : y)
      CHECK(value == 2.0f * static_cast<float>(terms));
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Tuned params
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("Jit: params that the caller leaves open take what was measured, unless it says no") {
  ScratchDirectory scratch;
  const std::string path = scratch / "tuning.db";
  auto pool = std::make_shared<ThreadPool>(2);
  putTwiceWinner(path, Target::Cpu, machineLimits(nullptr, Target::Cpu, pool->threads()), "32");
  ScopedVariable tuning("LACUNA_TUNING", path.c_str());
  Jit jit = Jit::forCpu(pool);
  auto gridOf = [&](KernelSpec asked) {
    auto kernel = jit.compile(asked);
    REQUIRE(kernel);
    return kernel->metadata().grid.front() + (kernel->tuning().empty() ? "" : ", tuned");
  };
  CHECK(gridOf(kTwice) == "ceildiv(M, 32), tuned");
  CHECK(gridOf(kTwice) == "ceildiv(M, 32), tuned"); // from memory
  KernelSpec fixed = kTwice, other = kTwice, plain = kTwice;
  fixed.params = {{"BM", "16"}};
  CHECK(gridOf(fixed) == "ceildiv(M, 16)");
  other.params = {{"D", "32"}}; // measured for 16 only
  CHECK(gridOf(other) == "ceildiv(M, 64)");
  plain.tuned = false;
  CHECK(gridOf(plain) == "ceildiv(M, 64)");
}
