#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/Kernel.h"
#include "lacuna/Runtime/ProgramOrder.h"

#include <doctest/doctest.h>

#include <set>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::FakeDriver;

namespace {

LaunchMetadata persistentMetadata(int blocks) {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "stay";
  metadata.target = "sm_90a";
  metadata.arguments = {{"out", Argument::Kind::View, DType::F32, {{"M"}, {"", 4}}, true}};
  metadata.dims = {"M"};
  metadata.grid = {"ceildiv(M, 64)", "2"};
  metadata.threads = 384;
  metadata.persistentBlocks = blocks;
  return metadata;
}

/// What a persistent kernel takes behind pointer, stride and M.
struct Programs {
  int32_t *queue;
  const int32_t *order;
  int32_t width, height, count;
};

Programs programsOf(void **parameters) {
  return {*static_cast<int32_t **>(parameters[3]), *static_cast<const int32_t **>(parameters[4]),
          *static_cast<int32_t *>(parameters[5]), *static_cast<int32_t *>(parameters[6]),
          *static_cast<int32_t *>(parameters[7])};
}

/// Launches over `rows` rows, and sees what the driver is given.
struct Launcher {
  explicit Launcher(int blocks)
      : device(driver.open()), stream(Stream::create(device).value()),
        out(DeviceBuffer::allocate(device, 1 << 22).value()),
        kernel(Kernel::load(device, ".version 8.3", persistentMetadata(blocks)).value()) {
    driver.state.onLaunch = [this](void **parameters) { seen = programsOf(parameters); };
  }
  Programs launch(int64_t rows, const int32_t *order = nullptr) {
    std::vector<ArgumentValue> arguments = {TensorView::contiguous(out.data(), DType::F32, {rows, 4})};
    Expected<void> launched = kernel.launch(stream, arguments, {order});
    REQUIRE_MESSAGE(launched, launched.error().render());
    return seen;
  }

  FakeDriver driver;
  Device device;
  Stream stream;
  DeviceBuffer out;
  Kernel kernel;
  Programs seen = {};
};

} // namespace

TEST_CASE("with an order, a launch may run some of the programs") {
  Launcher one(1);
  const int32_t order[3] = {7, 0, 5};
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(one.out.data(), DType::F32, {64 * 100, 4})};
  REQUIRE(one.kernel.launch(one.stream, arguments, {order, 3}));
  CHECK(one.driver.state.lastGrid[0] == 3);
  CHECK(one.seen.order == order);
  CHECK(one.seen.count == 3);
  CHECK(one.seen.width == 100);
  auto refused = [&](const int32_t *given, int64_t programs) {
    Expected<void> launched = one.kernel.launch(one.stream, arguments, {given, programs});
    REQUIRE_FALSE(launched);
    CHECK(launched.error().code == ErrorCode::InvalidArgument);
    CHECK(
        launched.error().message ==
        fmt::format("{} programs of kernel 'stay' were asked for; give 1 to 200 with an order of so many entries, to a "
                    "persistent kernel, or 0 for all",
                    programs));
  };
  refused(nullptr, 3);
  refused(order, -1);
  refused(order, 201);
}

TEST_CASE("a kernel that runs one program a thread block runs them all") {
  Launcher none(0);
  const int32_t order[1] = {0};
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(none.out.data(), DType::F32, {64, 4})};
  CHECK_FALSE(none.kernel.launch(none.stream, arguments, {order, 1}));
}

TEST_CASE("a persistent kernel gets as many thread blocks as the GPU holds, and no more than programs") {
  {
    Launcher two(2);
    two.launch(64 * 1000);
    CHECK(two.driver.state.lastGrid[0] == 264);
  }
  Launcher one(1);
  Programs programs = one.launch(64 * 100);
  CHECK(one.driver.state.lastGrid[0] == 132);
  CHECK(one.driver.state.lastGrid[1] == 1);
  CHECK(programs.width == 100);
  CHECK(programs.height == 2);
  CHECK(programs.count == 200);
  CHECK(programs.order == nullptr);
  one.launch(64);
  CHECK(one.driver.state.lastGrid[0] == 2);
}

TEST_CASE("the caller's order reaches the kernel") {
  Launcher launcher(1);
  const int32_t order[] = {1, 0};
  CHECK(launcher.launch(64, order).order == order);
}

TEST_CASE("each stream has a queue of its own, zero before use") {
  Launcher launcher(1);
  std::set<int32_t *> queues;
  for (unsigned long long stream = 1; stream <= 1024; ++stream) {
    launcher.driver.state.streamId = stream;
    int32_t *queue = launcher.launch(64).queue;
    REQUIRE(queue);
    CHECK(queues.insert(queue).second);
    CHECK(queue[0] == 0);
    CHECK(queue[1] == 0);
    CHECK(launcher.launch(64).queue == queue);
  }
  // When there are no more, programs are dealt in fixed turns; streams known before keep theirs.
  launcher.driver.state.streamId = 5000;
  CHECK(launcher.launch(64).queue == nullptr);
  launcher.driver.state.streamId = 7;
  CHECK(queues.contains(launcher.launch(64).queue));
}

TEST_CASE("a captured launch, which may run beside copies of itself, has no queue") {
  Launcher launcher(1);
  CHECK(launcher.launch(64).queue != nullptr);
  launcher.driver.state.capturing = true;
  CHECK(launcher.launch(64).queue == nullptr);
  launcher.driver.state.capturing = false;
  CHECK(launcher.launch(64).queue != nullptr);
}

TEST_CASE("too many programs are refused") {
  FakeDriver driver;
  Expected<LaunchSignature> signature = LaunchSignature::create(persistentMetadata(1));
  REQUIRE(signature);
  std::vector<ArgumentValue> arguments = {
      TensorView::contiguous(reinterpret_cast<void *>(0x1000), DType::F32, {2147479552, 4})};
  CHECK(signature->bind(arguments)); // 2^25 x 2
  LaunchMetadata metadata = persistentMetadata(1);
  metadata.grid = {"M", "2"};
  signature = LaunchSignature::create(metadata);
  Expected<LaunchBounds> bound = signature->bind(arguments);
  REQUIRE(!bound);
  CHECK(bound.error().code == ErrorCode::Unsupported);
  CHECK(bound.error().message.find("programs") != std::string::npos);
}

TEST_CASE("longest rows come first within a section, sections in order, equal rows as they were") {
  BlockLists lists;
  lists.heads = 2;
  lists.rowBlocks = 3;
  lists.queryBlock = 128;
  lists.indptr = {0, 1, 4, 5, 9, 9, 11}; // lengths 1 3 1 | 4 0 2
  AttentionShape shape{
      .batch = 1, .heads = 2, .kvHeads = 2, .queries = 384, .keys = 100, .headDim = 64, .valueDim = 64};
  const int64_t headBytes = 2 * 100 * 128;
  CHECK(longestFirst(lists, shape, 128, headBytes, 1) == std::vector<int32_t>{1, 0, 2, 3, 5, 4});
  CHECK(longestFirst(lists, shape, 128, 2 * headBytes, 1) == std::vector<int32_t>{3, 1, 5, 0, 2, 4});
  CHECK(longestFirst(lists, shape, 128, 0, 1) == std::vector<int32_t>{1, 0, 2, 3, 5, 4});
  // With two thread blocks, the share of a section of one head is 2.75 blocks: the rows of 4 and 3 start first.
  CHECK(longestFirst(lists, shape, 128, headBytes, 2) == std::vector<int32_t>{3, 1, 0, 2, 5, 4});
  // Two tiles a list block.
  CHECK(longestFirst(lists, shape, 64, 0, 1) == std::vector<int32_t>{2, 3, 0, 1, 4, 5, 6, 7, 10, 11, 8, 9});
}
