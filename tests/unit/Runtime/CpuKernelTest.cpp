#include "lacuna/Runtime/CpuKernel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// out[z, y, x] = x + 10 * y + 100 * z + bias, one program an element.
void writeCoordinates(void **params, int32_t x, int32_t y, int32_t z) {
  int32_t *out;
  int64_t strideZ, strideY;
  int32_t bias;
  std::memcpy(&out, params[0], sizeof(out));
  std::memcpy(&strideZ, params[1], sizeof(strideZ));
  std::memcpy(&strideY, params[2], sizeof(strideY));
  std::memcpy(&bias, params[3], sizeof(bias));
  out[z * strideZ + y * strideY + x] = x + 10 * y + 100 * z + bias;
}

LaunchMetadata coordinatesMetadata() {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "coordinates";
  metadata.target = "cpu";
  metadata.arguments = {{"out", Argument::Kind::View, DType::I32, {{"Z"}, {"Y"}, {"X"}}, true},
                        {"bias", Argument::Kind::Scalar, DType::I32}};
  metadata.dims = {"Z", "Y", "X"};
  metadata.grid = {"X", "Y", "Z"};
  return metadata;
}

} // namespace

TEST_CASE("a CPU kernel runs each program of the grid once") {
  for (int threads : {1, 4}) {
    Expected<CpuKernel> kernel =
        CpuKernel::create(writeCoordinates, coordinatesMetadata(), std::make_shared<ThreadPool>(threads));
    REQUIRE(kernel);
    std::vector<int32_t> out(5 * 7 * 9, -1);
    std::vector<ArgumentValue> arguments = {TensorView::contiguous(out.data(), DType::I32, {5, 7, 9}), int32_t(1000)};
    REQUIRE(kernel->launch(arguments));
    for (int z = 0; z < 5; ++z)
      for (int y = 0; y < 7; ++y)
        for (int x = 0; x < 9; ++x)
          REQUIRE(out[(z * 7 + y) * 9 + x] == 1000 + x + 10 * y + 100 * z);
  }
}

TEST_CASE("a refused launch runs nothing") {
  Expected<CpuKernel> kernel =
      CpuKernel::create(writeCoordinates, coordinatesMetadata(), std::make_shared<ThreadPool>(2));
  REQUIRE(kernel);
  std::vector<int32_t> out(4, -1);
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(out.data(), DType::F32, {1, 1, 4}), int32_t(0)};
  Expected<void> launched = kernel->launch(arguments);
  REQUIRE(!launched);
  CHECK(launched.error().code == ErrorCode::InvalidArgument);
  CHECK(out == std::vector<int32_t>(4, -1));
}

TEST_CASE("a CPU kernel needs an entry, a pool and metadata without tensor maps") {
  CHECK(CpuKernel::create(nullptr, coordinatesMetadata(), std::make_shared<ThreadPool>(1)).error().message ==
        "CPU kernel 'coordinates' was given no entry point");
  CHECK(CpuKernel::create(writeCoordinates, coordinatesMetadata(), nullptr).error().message ==
        "CPU kernel 'coordinates' was given no thread pool");
  LaunchMetadata mapped = coordinatesMetadata();
  mapped.arguments[0].dtype = DType::F16;
  mapped.tensorMaps = {{0, 1, 64}};
  CHECK(CpuKernel::create(writeCoordinates, mapped, std::make_shared<ThreadPool>(1)).error().message ==
        "CPU kernel 'coordinates' has tensor maps");
}

TEST_CASE("parallelFor visits each index once, again and again, also nested and from several threads") {
  ThreadPool pool(4);
  CHECK(pool.threads() == 4);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::atomic<int>> visits(97);
    pool.parallelFor(97, [&](int64_t index) { ++visits[static_cast<size_t>(index)]; });
    for (const std::atomic<int> &each : visits)
      REQUIRE(each == 1);
  }
  pool.parallelFor(0, [](int64_t) { FAIL("an index of an empty range"); });

  std::atomic<int64_t> sum = 0;
  pool.parallelFor(8, [&](int64_t) { pool.parallelFor(10, [&](int64_t index) { sum += index; }); });
  CHECK(sum == 8 * 45);

  sum = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] { pool.parallelFor(1000, [&](int64_t index) { sum += index; }); });
  for (std::thread &caller : callers)
    caller.join();
  CHECK(sum == 4 * 499500);
}
