// Prepared launches on a GPU: the results of launch(), what may be put in place, memory that is refused, and CUDA
// graphs.

#include "lacuna/Jit/Jit.h"

#include <doctest/doctest.h>

#include <dlfcn.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

// Rows of b and c have a few columns more than the product: they are nobody's, and stay as they were.
constexpr int64_t kM = 700, kN = 300, kK = 264, kPitch = 304;

/// Small integers: sums are exact, so that all results agree to the bit.
std::vector<uint16_t> integers(int64_t count, int step) {
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (size_t index = 0; index < values.size(); ++index)
    values[index] = floatToF16(static_cast<float>(static_cast<int>(index * step % 5) - 2));
  return values;
}

std::vector<ArgumentValue> argumentsOf(void *a, void *b, void *bias, void *c, float alpha) {
  return {TensorView::contiguous(a, DType::F16, {1, kM, kK}),
          TensorView{b, DType::F16, {1, kK, kN}, {kK * kPitch, kPitch, 1}},
          TensorView::contiguous(bias, DType::F32, {kN}),
          TensorView{c, DType::F16, {1, kM, kN}, {kM * kPitch, kPitch, 1}}, alpha};
}

/// The product on the GPU, and what the CPU makes of it.
struct Product {
  Product() {
    REQUIRE_MESSAGE(gpu, gpu.error().render());
    REQUIRE(onCpu);
    REQUIRE_MESSAGE(onGpu, onGpu.error().render());
    REQUIRE(onCpu->launch(argumentsOf(a.data(), b.data(), bias.data(), expected.data(), 1)));
    REQUIRE(deviceA.upload(a.data(), a.size() * 2));
    REQUIRE(deviceB.upload(b.data(), b.size() * 2));
    REQUIRE(deviceBias.upload(bias.data(), bias.size() * 4));
  }
  static DeviceBuffer allocate(const Device &device, size_t bytes) {
    return DeviceBuffer::allocate(device, bytes).value();
  }
  DeviceBuffer output() const {
    DeviceBuffer buffer = allocate(*gpu, expected.size() * 2);
    std::vector<uint16_t> blank(expected.size());
    REQUIRE(buffer.upload(blank.data(), blank.size() * 2));
    return buffer;
  }
  std::vector<ArgumentValue> arguments(const DeviceBuffer &c, float alpha = 1) const {
    return argumentsOf(deviceA.data(), deviceB.data(), deviceBias.data(), c.data(), alpha);
  }
  bool right(const DeviceBuffer &c) const {
    std::vector<uint16_t> result(expected.size());
    return c.download(result.data(), result.size() * 2) && result == expected;
  }

  const KernelSpec spec = {.params = {{"T", "f16"}}, .library = "matmul"};
  std::vector<uint16_t> a = integers(kM * kK, 3), b = integers(kK * kPitch, 7),
                        expected = std::vector<uint16_t>(kM * kPitch);
  std::vector<float> bias = std::vector<float>(kN, 1);
  Expected<Device> gpu = Device::open();
  Expected<JitKernel> onCpu = Jit::forCpu().compile(spec), onGpu = Jit::forDevice(gpu.value())->compile(spec);
  DeviceBuffer deviceA = allocate(*gpu, a.size() * 2), deviceB = allocate(*gpu, b.size() * 2),
               deviceBias = allocate(*gpu, bias.size() * 4);
};

/// A driver function that only this test calls.
template <class... Parameters> cu::Result call(const char *name, Parameters... parameters) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  void *function = library ? dlsym(library, name) : nullptr;
  REQUIRE_MESSAGE(function, name);
  return reinterpret_cast<cu::Result (*)(Parameters...)>(function)(parameters...);
}

/// Captures what `enqueue` puts on `stream` into a graph of `nodes` kernels.
template <class Enqueue> void *capture(const Stream &stream, size_t nodes, Enqueue enqueue) {
  void *graph = nullptr, *executable = nullptr;
  REQUIRE(call("cuStreamBeginCapture_v2", stream.handle(), 0) == cu::Success);
  enqueue();
  REQUIRE(call("cuStreamEndCapture", stream.handle(), &graph) == cu::Success);
  size_t count = 0;
  REQUIRE(call("cuGraphGetNodes", graph, static_cast<void **>(nullptr), &count) == cu::Success);
  CHECK(count == nodes);
  std::vector<void *> all(count);
  REQUIRE(call("cuGraphGetNodes", graph, all.data(), &count) == cu::Success);
  for (void *node : all) {
    int type = -1;
    REQUIRE(call("cuGraphNodeGetType", node, &type) == cu::Success);
    CHECK(type == 0); // a kernel
  }
  REQUIRE(call("cuGraphInstantiateWithFlags", &executable, graph, 0ull) == cu::Success);
  REQUIRE(call("cuGraphDestroy", graph) == cu::Success);
  return executable;
}

} // namespace

TEST_CASE("a prepared launch gives what launch() gives, wherever its output is put") {
  Product product;
  Stream stream = *Stream::create(*product.gpu), other = *Stream::create(*product.gpu);
  DeviceBuffer first = product.output(), second = product.output(), third = product.output();
  REQUIRE(product.onGpu->launch(stream, product.arguments(first)));
  auto prepared = product.onGpu->prepare(stream, product.arguments(second));
  REQUIRE_MESSAGE(prepared, prepared.error().render());
  REQUIRE(prepared->run());
  REQUIRE(prepared->set(3, third.data()));
  REQUIRE(prepared->run(other));
  REQUIRE(stream.synchronize());
  REQUIRE(other.synchronize());
  CHECK(product.right(first));
  CHECK(product.right(second));
  CHECK(product.right(third));
}

TEST_CASE("host memory is refused when a launch is prepared, by name") {
  Product product;
  Stream stream = *Stream::create(*product.gpu);
  DeviceBuffer output = product.output();
  std::vector<ArgumentValue> arguments = product.arguments(output);
  std::get<TensorView>(arguments[2]).data = product.bias.data();
  auto prepared = product.onGpu->prepare(stream, arguments);
  REQUIRE(!prepared);
  CHECK(prepared.error().code == ErrorCode::InvalidArgument);
  CHECK_MESSAGE(prepared.error().message.find("argument 'bias' is at 0x") == 0, prepared.error().message);
}

TEST_CASE("R24: a graph of prepared launches holds kernels alone, and replays 10,000 times beside eager runs") {
  Product product;
  ContextGuard guard(*product.gpu);
  Stream stream = *Stream::create(*product.gpu), other = *Stream::create(*product.gpu);
  DeviceBuffer first = product.output(), second = product.output(), eager = product.output();
  auto prepared = product.onGpu->prepare(stream, product.arguments(first));
  auto beside = product.onGpu->prepare(other, product.arguments(eager));
  REQUIRE(prepared);
  REQUIRE(beside);
  void *executable = capture(stream, 2, [&] {
    REQUIRE(prepared->run());
    REQUIRE(prepared->set(3, second.data()));
    REQUIRE(prepared->run());
  });
  for (int replay = 0; replay < 10000; ++replay) {
    REQUIRE(call("cuGraphLaunch", executable, stream.handle()) == cu::Success);
    if (replay % 4 == 0)
      REQUIRE(beside->run());
  }
  REQUIRE(stream.synchronize());
  REQUIRE(other.synchronize());
  CHECK(product.right(first));
  CHECK(product.right(second));
  CHECK(product.right(eager));
  REQUIRE(call("cuGraphExecDestroy", executable) == cu::Success);
}

TEST_CASE("R24: a launch that would have to compile is refused while its stream is captured, and the capture lives") {
  Product product;
  ContextGuard guard(*product.gpu);
  Stream stream = *Stream::create(*product.gpu);
  DeviceBuffer output = product.output();
  void *executable = capture(stream, 1, [&] {
    auto cold = product.onGpu->launch(stream, product.arguments(output, -1));
    REQUIRE(!cold);
    CHECK(cold.error().code == ErrorCode::InvalidArgument);
    REQUIRE(product.onGpu->launch(stream, product.arguments(output)));
  });
  REQUIRE(call("cuGraphLaunch", executable, stream.handle()) == cu::Success);
  REQUIRE(stream.synchronize());
  CHECK(product.right(output));
  REQUIRE(call("cuGraphExecDestroy", executable) == cu::Success);
}
