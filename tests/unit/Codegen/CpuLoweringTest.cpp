// What single operations of the tile dialect compute on the CPU.
#include "CpuKernelHarness.h"

#include <algorithm>
#include <functional>
#include <numeric>

using namespace lacuna;
using namespace lacuna::test;

namespace {

/// y = {OP} x, 256 elements a program.
constexpr const char *kUnary = R"mlir(
tile.func @unary(%x: !tile.view<[N], f32>, %y: !tile.view<[N], {T}> {tile.output})
    attributes {dims = ["N"], grid = ["ceildiv(N, 256)"]} {
  %p = tile.program_id 0
  %c = arith.constant 256 : i32
  %i = arith.muli %p, %c : i32
  %t = tile.load %x[%i] sizes [256] : (!tile.view<[N], f32>, i32) -> tensor<256x1xf32>
  %r = {OP} %t : tensor<256x1xf32> {TO}
  tile.store %r, %y[%i] sizes [256] : tensor<256x1x{T}>, (!tile.view<[N], {T}>, i32)
  tile.return
}
)mlir";

std::vector<float> applyUnary(const std::string &op, const std::vector<float> &x) {
  CompiledKernel kernel(substitute(kUnary, {{"OP", op}, {"T", "f32"}, {"TO", ""}}));
  std::vector<float> y(x.size());
  const int64_t n = static_cast<int64_t>(x.size());
  Parameters parameters;
  parameters.view(x, {n}).view(y, {n}).i32(static_cast<int32_t>(n));
  kernel.run(parameters, ceilDiv(n, 256));
  return y;
}

void checkFunction(const std::string &op, const std::function<double(double)> &exact, float from, float to,
                   double tolerance) {
  INFO(op);
  std::vector<float> x;
  for (int i = 0; i <= 20000; ++i)
    x.push_back(from + (to - from) * static_cast<float>(i) / 20000);
  const std::vector<float> y = applyUnary(op, x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(x[i]);
    // Below the smallest normal number a result is a multiple of 2^-149.
    const double unit = std::max(std::fabs(expected) * tolerance, 1e-45);
    worst = std::max(worst, std::fabs(y[i] - expected) / unit);
  }
  CHECK(worst <= 1);
}

/// A tile of 32 x 48 of x, what {BODY} makes of it stored to y, whose view is {VIEW}.
constexpr const char *kTile = R"mlir(
tile.func @tile(%x: !tile.view<[M, N], f32>, %y: !tile.view<[{VIEW}], f32> {tile.output})
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%c0, %c0] sizes [32, 48] : (!tile.view<[M, N], f32>, i32, i32) -> tensor<32x48xf32>
  {BODY}
  tile.return
}
)mlir";

/// Runs kTile on a dense 32 x 48 matrix; gives the `count` elements of y.
std::vector<float> runTile(const std::string &view, const std::string &body, const std::vector<float> &x,
                           size_t count) {
  CompiledKernel kernel(substitute(kTile, {{"VIEW", view}, {"BODY", body}}));
  std::vector<float> y(count, 77);
  Parameters parameters;
  parameters.view(x, {32, 48}).pointer(y.data());
  const size_t comma = view.find(',');
  if (comma != std::string::npos)
    parameters.i64(std::stoll(view.substr(comma + 1)));
  parameters.i32(32).i32(48);
  kernel.run(parameters, 1);
  return y;
}

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>((i * 37) % 101) - 50;
  return values;
}

} // namespace

TEST_CASE("functions are accurate") {
  checkFunction("math.exp", [](double x) { return std::exp(x); }, -110, 88.7f, 1e-6);
  checkFunction("math.exp", [](double x) { return std::exp(x); }, -1, 1, 1e-6);
  checkFunction("math.exp2", [](double x) { return std::exp2(x); }, -155, 127.99f, 1e-6);
  checkFunction("math.exp2", [](double x) { return std::exp2(x); }, -1, 1, 1e-6);
  checkFunction("math.log", [](double x) { return std::log(x); }, 1.01f, 1e30f, 1e-6);
  checkFunction("math.log2", [](double x) { return std::log2(x); }, 1.01f, 1e6f, 1e-6);
  checkFunction("math.tanh", [](double x) { return std::tanh(x); }, -12, 12, 2e-6);
  checkFunction("math.sqrt", [](double x) { return std::sqrt(x); }, 0, 1e6f, 1e-7);
  checkFunction("math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, 0.01f, 1e6f, 1e-6);
  checkFunction("math.floor", [](double x) { return std::floor(x); }, -5, 5, 0);
  checkFunction("math.absf", [](double x) { return std::fabs(x); }, -5, 5, 0);
}

TEST_CASE("functions keep infinities and NaN") {
  const std::vector<float> x = {-INFINITY, INFINITY, NAN, 0, 1e30f, -1e30f};
  for (const char *op : {"math.exp", "math.exp2"}) {
    const std::vector<float> y = applyUnary(op, x);
    CHECK(y[0] == 0);
    CHECK(y[1] == INFINITY);
    CHECK(std::isnan(y[2]));
    CHECK(y[3] == 1);
    CHECK(y[4] == INFINITY);
    CHECK(y[5] == 0);
  }
  for (const char *op : {"math.log", "math.log2"}) {
    const std::vector<float> y = applyUnary(op, x);
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == INFINITY);
    CHECK(std::isnan(y[2]));
    CHECK(y[3] == -INFINITY);
  }
  const std::vector<float> tanh = applyUnary("math.tanh", x);
  CHECK(tanh[0] == doctest::Approx(-1));
  CHECK(tanh[1] == doctest::Approx(1));
  CHECK(std::isnan(tanh[2]));
}

TEST_CASE("conversions to 16 bits round to nearest even") {
  std::mt19937 generator(7);
  for (bool bf16 : {true, false}) {
    std::vector<float> x = {0,     -0.0f, 1,       INFINITY, -INFINITY, NAN,     65504,
                            65519, 65520, 3.4e38f, 1e-45f,   6e-8f,     2.98e-8f};
    for (int i = 0; i < 20000; ++i)
      x.push_back(std::bit_cast<float>(static_cast<uint32_t>(generator())));
    for (int i = 0; i < 20000; ++i) // Ties and their neighbours.
      x.push_back(std::bit_cast<float>((static_cast<uint32_t>(generator()) & 0xffffe000) + 0xfff +
                                       static_cast<uint32_t>(generator()) % 3));
    for (uint32_t i = 0; i < 20000; ++i)
      x.push_back(std::bit_cast<float>((static_cast<uint32_t>(generator()) & 0xffff0000) | (0x7fff + i % 3)));
    const std::string type = bf16 ? "bf16" : "f16";
    CompiledKernel kernel(
        substitute(kUnary, {{"OP", "arith.truncf"}, {"T", type}, {"TO", "to tensor<256x1x" + type + ">"}}));
    std::vector<uint16_t> y(x.size());
    const int64_t n = static_cast<int64_t>(x.size());
    Parameters parameters;
    parameters.view(x, {n}).view(y, {n}).i32(static_cast<int32_t>(n));
    kernel.run(parameters, ceilDiv(n, 256));
    int wrong = 0;
    for (size_t i = 0; i < x.size(); ++i)
      wrong += std::isnan(x[i]) ? !std::isnan(fromHalf(y[i], bf16)) : y[i] != toHalf(x[i], bf16);
    CHECK_MESSAGE(wrong == 0, type);
  }
}

TEST_CASE("reductions run along either axis or both, and max ignores NaN") {
  std::vector<float> x = ramp(32 * 48);
  x[5 * 48 + 7] = NAN;
  const std::vector<float> rows = runTile("32", R"mlir(
    %r = tile.reduce max %t axes [1] : tensor<32x48xf32> -> tensor<32x1xf32>
    tile.store %r, %y[%c0] sizes [32] : tensor<32x1xf32>, (!tile.view<[32], f32>, i32))mlir",
                                          x, 32);
  for (int i = 0; i < 32; ++i) {
    float expected = -INFINITY;
    for (int j = 0; j < 48; ++j)
      expected = std::fmax(expected, x[i * 48 + j]);
    CHECK(rows[i] == expected);
  }
  x[5 * 48 + 7] = 3;
  const std::vector<float> columns = runTile("1, 48", R"mlir(
    %r = tile.reduce add %t axes [0] : tensor<32x48xf32> -> tensor<1x48xf32>
    tile.store %r, %y[%c0, %c0] sizes [1, 48] : tensor<1x48xf32>, (!tile.view<[1, 48], f32>, i32, i32))mlir",
                                             x, 48);
  for (int j = 0; j < 48; ++j) {
    float expected = 0;
    for (int i = 0; i < 32; ++i)
      expected += x[i * 48 + j];
    CHECK(columns[j] == expected);
  }
  // A reduction of a shared intermediate result runs in its loop; the three results must not disturb one another.
  const std::vector<float> all = runTile("3", R"mlir(
    %u = arith.addf %t, %t : tensor<32x48xf32>
    %sum = tile.reduce add %u axes [0, 1] : tensor<32x48xf32> -> f32
    %low = tile.reduce min %u axes [0, 1] : tensor<32x48xf32> -> f32
    %row = tile.reduce max %u axes [1] : tensor<32x48xf32> -> tensor<32x1xf32>
    %high = tile.reduce min %row axes [0] : tensor<32x1xf32> -> tensor<1x1xf32>
    %high1 = tile.reduce max %high axes [0, 1] : tensor<1x1xf32> -> f32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    tile.store %sum, %y[%c0] sizes [0] : f32, (!tile.view<[3], f32>, i32)
    tile.store %low, %y[%c1] sizes [0] : f32, (!tile.view<[3], f32>, i32)
    tile.store %high1, %y[%c2] sizes [0] : f32, (!tile.view<[3], f32>, i32))mlir",
                                         x, 3);
  float highest = INFINITY;
  for (int i = 0; i < 32; ++i)
    highest = std::min(highest, 2 * *std::max_element(x.begin() + i * 48, x.begin() + i * 48 + 48));
  CHECK(all[0] == 2 * std::accumulate(x.begin(), x.end(), 0.0f));
  CHECK(all[1] == 2 * *std::min_element(x.begin(), x.end()));
  CHECK(all[2] == highest);
}

TEST_CASE("a transpose and a broadcast of every kind") {
  const std::vector<float> x = ramp(32 * 48);
  const std::vector<float> y = runTile("48, 32", R"mlir(
    %u = tile.transpose %t : tensor<32x48xf32> -> tensor<48x32xf32>
    %row = tile.reduce add %t axes [1] : tensor<32x48xf32> -> tensor<32x1xf32>
    %rowT = tile.transpose %row : tensor<32x1xf32> -> tensor<1x32xf32>
    %a = tile.broadcast %rowT : tensor<1x32xf32> -> tensor<48x32xf32>
    %i = tile.iota : tensor<48x1xi32>
    %f = arith.sitofp %i : tensor<48x1xi32> to tensor<48x1xf32>
    %b = tile.broadcast %f : tensor<48x1xf32> -> tensor<48x32xf32>
    %s = tile.reduce max %t axes [0, 1] : tensor<32x48xf32> -> f32
    %c = tile.broadcast %s : f32 -> tensor<48x32xf32>
    %ab = arith.addf %a, %b : tensor<48x32xf32>
    %abc = arith.addf %ab, %c : tensor<48x32xf32>
    %r = arith.addf %u, %abc : tensor<48x32xf32>
    tile.store %r, %y[%c0, %c0] sizes [48, 32] : tensor<48x32xf32>, (!tile.view<[48, 32], f32>, i32, i32))mlir",
                                       x, 48 * 32);
  const float largest = *std::max_element(x.begin(), x.end());
  int wrong = 0;
  for (int i = 0; i < 48; ++i)
    for (int j = 0; j < 32; ++j)
      wrong += y[i * 32 + j] != x[j * 48 + i] + (std::accumulate(&x[j * 48], &x[j * 48] + 48, 0.0f) + i + largest);
  CHECK(wrong == 0);
}

TEST_CASE("loads outside a view give zero on every side, along any axis") {
  // y[k] = the tile of x that starts at (first, column - 5), of one column where the rows run along the outer axis.
  CompiledKernel kernel(R"mlir(
tile.func @edges(%x: !tile.view<[M, N], i32>, %y: !tile.view<[32, 32], i32> {tile.output},
                 %z: !tile.view<[32], i32> {tile.output}, %r: i32, %c: i32)
    attributes {dims = ["M", "N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %t = tile.load %x[%r, %c] sizes [32, 32] : (!tile.view<[M, N], i32>, i32, i32) -> tensor<32x32xi32>
  tile.store %t, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xi32>, (!tile.view<[32, 32], i32>, i32, i32)
  %u = tile.load %x[%r, %c] sizes [32, 0] : (!tile.view<[M, N], i32>, i32, i32) -> tensor<32x1xi32>
  tile.store %u, %z[%c0] sizes [32] : tensor<32x1xi32>, (!tile.view<[32], i32>, i32)
  tile.return
}
)mlir");
  const int M = 40, N = 37;
  std::vector<int32_t> x(M * N), y(32 * 32), z(32);
  std::iota(x.begin(), x.end(), 1);
  auto at = [&](int i, int j) { return i >= 0 && i < M && j >= 0 && j < N ? x[i * N + j] : 0; };
  for (int first : {-40, -5, 0, 3, 8, 20, 39, 40, 1000000})
    for (int column : {-33, -3, 0, 5, 6, 30, 36, 37, 90}) {
      INFO("from ", first, ", ", column);
      Parameters parameters;
      parameters.view(x, {M, N}).view(y, {32, 32}).view(z, {32}).i32(first).i32(column).i32(M).i32(N);
      kernel.run(parameters, 1);
      int wrong = 0;
      for (int i = 0; i < 32; ++i) {
        wrong += z[i] != at(first + i, column);
        for (int j = 0; j < 32; ++j)
          wrong += y[i * 32 + j] != at(first + i, column + j);
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("a loop exchanges its carried tiles") {
  // Four rounds of (a, b, c) = (b, a + 1, a): all right sides are the values before the round.
  const std::vector<float> x = ramp(32 * 48);
  const std::vector<float> y = runTile("96, 48", R"mlir(
    %one = arith.constant dense<1.0> : tensor<32x48xf32>
    %zero = arith.constant dense<0.0> : tensor<32x48xf32>
    %c1 = arith.constant 1 : i32
    %c4 = arith.constant 4 : i32
    %r:4 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %t, %b = %zero, %c = %one, %n = %c0)
        -> (tensor<32x48xf32>, tensor<32x48xf32>, tensor<32x48xf32>, i32) : i32 {
      %a1 = arith.addf %a, %one : tensor<32x48xf32>
      %n1 = arith.addi %n, %c4 : i32
      scf.yield %b, %a1, %a, %n1 : tensor<32x48xf32>, tensor<32x48xf32>, tensor<32x48xf32>, i32
    }
    %n4 = arith.muli %r#3, %c4 : i32
    %c32 = arith.constant 32 : i32
    %third = arith.subi %n4, %c0 : i32
    tile.store %r#0, %y[%c0, %c0] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[96, 48], f32>, i32, i32)
    tile.store %r#1, %y[%c32, %c0] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[96, 48], f32>, i32, i32)
    tile.store %r#2, %y[%third, %c0] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[96, 48], f32>, i32, i32))mlir",
                                       x, 96 * 48);
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    float a = x[i], b = 0, c = 1;
    for (int round = 0; round < 4; ++round)
      std::tie(a, b, c) = std::make_tuple(b, a + 1, a);
    // The third tile is stored at row 4 * 16 = 64.
    wrong += y[i] != a || y[i + x.size()] != b || y[i + 2 * x.size()] != c;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a condition that alters a tile leaves it alone for those who read it later") {
  const std::vector<float> x = ramp(32 * 48);
  const std::vector<float> y = runTile("64, 48", R"mlir(
    %u = arith.addf %t, %t : tensor<32x48xf32>
    %m = tile.reduce max %t axes [0, 1] : tensor<32x48xf32> -> f32
    %limit = arith.constant 3.0 : f32
    %large = arith.cmpf ogt, %m, %limit : f32
    %v = scf.if %large -> (tensor<32x48xf32>) {
      %w = arith.mulf %u, %t : tensor<32x48xf32>
      scf.yield %w : tensor<32x48xf32>
    } else {
      scf.yield %u : tensor<32x48xf32>
    }
    %w = arith.subf %v, %u : tensor<32x48xf32>
    %c32 = arith.constant 32 : i32
    tile.store %w, %y[%c0, %c0] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[64, 48], f32>, i32, i32)
    %z = scf.if %large -> (tensor<32x48xf32>) {
      %o = arith.addf %v, %t : tensor<32x48xf32>
      scf.yield %o : tensor<32x48xf32>
    } else {
      scf.yield %v : tensor<32x48xf32>
    }
    tile.store %z, %y[%c32, %c0] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[64, 48], f32>, i32, i32))mlir",
                                       x, 64 * 48);
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i)
    wrong += y[i] != 2 * x[i] * x[i] - 2 * x[i] || y[i + x.size()] != 2 * x[i] * x[i] + x[i];
  CHECK(wrong == 0);
}

TEST_CASE("dots of tiles that are transposed, computed, or a single row or column") {
  const std::vector<float> x = ramp(32 * 48); // Small integers: every sum is exact.
  const std::string operands = R"mlir(
    %a = arith.truncf %t : tensor<32x48xf32> to tensor<32x48xbf16>
    %at = tile.transpose %a : tensor<32x48xbf16> -> tensor<48x32xbf16>
    %one = arith.constant dense<1.0> : tensor<32x48xf32>
    %t1 = arith.addf %t, %one : tensor<32x48xf32>
    %b = arith.truncf %t1 : tensor<32x48xf32> to tensor<32x48xbf16>
    %bt = tile.transpose %b : tensor<32x48xbf16> -> tensor<48x32xbf16>
    %m = tile.reduce max %t axes [1] : tensor<32x48xf32> -> tensor<32x1xf32>
    %v = arith.truncf %m : tensor<32x1xf32> to tensor<32x1xbf16>
    %vt = tile.transpose %v : tensor<32x1xbf16> -> tensor<1x32xbf16>
  )mlir";
  auto a = [&](int i, int j) { return x[i * 48 + j]; };
  auto largest = [&](int i) { return *std::max_element(&x[i * 48], &x[i * 48] + 48); };
  auto count = [](const std::vector<float> &y, int columns, const std::function<float(int, int)> &expected) {
    int wrong = 0;
    for (int k = 0; k < static_cast<int>(y.size()); ++k)
      wrong += y[k] != expected(k / columns, k % columns);
    return wrong;
  };
  auto sum = [](int n, const std::function<float(int)> &term) {
    float total = 0;
    for (int k = 0; k < n; ++k)
      total += term(k);
    return total;
  };

  // A transposed, B computed.
  std::vector<float> y = runTile("48, 48", operands + R"mlir(
    %r = tile.dot %at, %b : tensor<48x32xbf16>, tensor<32x48xbf16> -> tensor<48x48xf32>
    tile.store %r, %y[%c0, %c0] sizes [48, 48] : tensor<48x48xf32>, (!tile.view<[48, 48], f32>, i32, i32))mlir",
                                 x, 48 * 48);
  CHECK(count(y, 48, [&](int i, int j) { return sum(32, [&](int k) { return a(k, i) * (a(k, j) + 1); }); }) == 0);

  // The accumulator a transposed dot: b a^T + (a b^T)^T.
  y = runTile("32, 32", operands + R"mlir(
    %d = tile.dot %a, %bt : tensor<32x48xbf16>, tensor<48x32xbf16> -> tensor<32x32xf32>
    %dt = tile.transpose %d : tensor<32x32xf32> -> tensor<32x32xf32>
    %r = tile.dot %b, %at acc %dt : tensor<32x32xf32> : tensor<32x48xbf16>, tensor<48x32xbf16> -> tensor<32x32xf32>
    tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[32, 32], f32>, i32, i32))mlir",
              x, 32 * 32);
  CHECK(count(y, 32, [&](int i, int j) { return 2 * sum(48, [&](int k) { return (a(i, k) + 1) * a(j, k); }); }) == 0);

  // A column: 48 x 32 times 32 x 1.
  y = runTile("48", operands + R"mlir(
    %r = tile.dot %at, %v : tensor<48x32xbf16>, tensor<32x1xbf16> -> tensor<48x1xf32>
    tile.store %r, %y[%c0] sizes [48] : tensor<48x1xf32>, (!tile.view<[48], f32>, i32))mlir",
              x, 48);
  CHECK(count(y, 1, [&](int i, int) { return sum(32, [&](int k) { return a(k, i) * largest(k); }); }) == 0);

  // A row: 1 x 32 times 32 x 48; and an outer product, 32 x 1 times 1 x 32.
  y = runTile("1, 48", operands + R"mlir(
    %r = tile.dot %vt, %a : tensor<1x32xbf16>, tensor<32x48xbf16> -> tensor<1x48xf32>
    tile.store %r, %y[%c0, %c0] sizes [1, 48] : tensor<1x48xf32>, (!tile.view<[1, 48], f32>, i32, i32))mlir",
              x, 48);
  CHECK(count(y, 48, [&](int, int j) { return sum(32, [&](int k) { return a(k, j) * largest(k); }); }) == 0);
  y = runTile("32, 32", operands + R"mlir(
    %r = tile.dot %v, %vt : tensor<32x1xbf16>, tensor<1x32xbf16> -> tensor<32x32xf32>
    tile.store %r, %y[%c0, %c0] sizes [32, 32] : tensor<32x32xf32>, (!tile.view<[32, 32], f32>, i32, i32))mlir",
              x, 32 * 32);
  CHECK(count(y, 32, [&](int i, int j) { return largest(i) * largest(j); }) == 0);
}
