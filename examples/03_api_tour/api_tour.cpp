// The C++ interface, piece by piece: what docs/api.md shows is taken from here, between the lines `// [name]`.
//
//   ./dev build && build/bin/lacuna-example-03-api-tour
#include "lacuna/Jit/Warm.h"
#include "lacuna/Runtime/Bundle.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace lacuna;
using namespace lacuna::runtime;

constexpr int64_t kM = 100, kN = 48, kK = 64;

/// Host memory of a product, and views of it in the kernel's order.
struct Product {
  std::vector<uint16_t> a = std::vector<uint16_t>(kM * kK, floatToF16(0.5f));
  std::vector<uint16_t> b = std::vector<uint16_t>(kK * kN, floatToF16(2)), c = std::vector<uint16_t>(kM * kN);
  std::vector<float> bias = std::vector<float>(kN, 1);

  std::vector<ArgumentValue> arguments() {
    // [arguments]
    // Views of the caller's memory, in the order of the kernel's arguments; a float is an f32, an int32_t an i32.
    std::vector<ArgumentValue> arguments = {
        TensorView::contiguous(a.data(), DType::F16, {1, kM, kK}),
        TensorView{b.data(), DType::F16, {1, kK, kN}, {kK * kN, kN, 1}}, // with its strides, in elements
        TensorView::contiguous(bias.data(), DType::F32, {kN}),
        TensorView::contiguous(c.data(), DType::F16, {1, kM, kN}),
        1.0f, // alpha
    };
    // [arguments]
    return arguments;
  }
};

static Expected<JitKernel> compileProduct(Jit &jit) {
  // [compile]
  KernelSpec spec;
  spec.library = "matmul"; // or spec.file = "matmul.tile", or spec.source = "kernel …"
  spec.params = {{"T", "f16"}, {"BM", "64"}};
  Expected<JitKernel> kernel = jit.compile(spec);
  if (!kernel)
    return takeError(kernel); // a code, a sentence, notes: kernel.error().render()
  // [compile]
  return kernel;
}

static Expected<void> compileInBackground(Jit &jit) {
  // [async]
  // Both compile while this thread goes on; get() waits for one.
  std::shared_future<Expected<JitKernel>> narrow = jit.compileAsync({.params = {{"BN", "64"}}, .library = "matmul"}),
                                          wide = jit.compileAsync({.params = {{"BN", "128"}}, .library = "matmul"});
  if (!narrow.get())
    return tl::unexpected(narrow.get().error());
  // [async]
  return wide.get() ? Expected<void>() : tl::unexpected(wide.get().error());
}

static Expected<void> warmAsServersDo(const Jit &jit, const std::string &path) {
  // [warm]
  Expected<std::vector<WarmRequest>> list = readWarmList(path); // or requests of one's own
  if (!list)
    return takeError(list);
  WarmReport report = jit.warm(*list);
  if (Expected<void> ready = report.check(); !ready) // names every kernel that is missing or failed
    return ready;
  // [warm]
  return {};
}

static Jit listen(const Jit &jit) {
  // [listen]
  Jit heard = jit.withListener([](const CompileEvent &event) {
    std::printf("%s '%s' in %.1f ms%s\n", event.error ? "could not compile" : "compiled", event.kernel.c_str(),
                event.milliseconds, event.source == CacheSource::None ? "" : ", from the cache");
    for (const StageTime &stage : event.stages)
      std::printf("  %s %.1f ms\n", std::string(stageName(stage.stage)).c_str(), stage.milliseconds);
  });
  // [listen]
  return heard;
}

static Expected<void> runPrepared(const JitKernel &kernel, Product &product, std::vector<uint16_t> &other) {
  std::vector<ArgumentValue> arguments = product.arguments();
  // [prepare]
  Expected<PreparedCpuLaunch> step = kernel.prepare(arguments); // on a GPU: kernel.prepare(stream, arguments)
  if (!step)
    return takeError(step);
  step->run();
  if (auto done = step->set(3, other.data()); !done) // another output of the same shape and strides
    return done;
  step->run();
  // [prepare]
  return {};
}

/// Only where there is a GPU: a stream of the caller's, and a bundle in place of the compiler.
[[maybe_unused]] static Expected<void> launchOnGpu(const JitKernel &kernel, const Device &device, void *callersStream,
                                                   std::span<const ArgumentValue> arguments) {
  // [stream]
  Stream stream = Stream::borrow(device, static_cast<cu::Stream>(callersStream)); // never destroyed by us
  if (auto launched = kernel.launch(stream, arguments); !launched)                // enqueued, nothing else
    return launched;
  // [stream]
  return {};
}

[[maybe_unused]] static Expected<void> launchFromBundle(const Stream &stream,
                                                        std::span<const ArgumentValue> arguments) {
  // [bundle]
  Expected<Bundle> bundle = Bundle::read("kernels.lacb");
  if (!bundle)
    return takeError(bundle);
  Expected<Kernel> kernel = bundle->load(stream.device(), "matmul", {{"T", "f16"}});
  if (!kernel)
    return takeError(kernel);
  return kernel->launch(stream, arguments);
  // [bundle]
}

static Expected<void> run() {
  Jit jit = listen(Jit::forCpu());
  Expected<JitKernel> kernel = compileProduct(jit);
  if (!kernel)
    return takeError(kernel);

  Product product;
  if (auto done = kernel->launch(product.arguments()); !done)
    return done;

  // [refusal]
  std::vector<ArgumentValue> wrong = product.arguments();
  std::get<TensorView>(wrong[0]).dtype = DType::F32;
  if (auto refused = kernel->launch(wrong); !refused)
    std::printf("refused: %s\n", refused.error().message.c_str()); // argument 'a' is f32, and kernel 'matmul' was …
  // [refusal]

  std::vector<uint16_t> other(product.c.size());
  if (auto done = runPrepared(*kernel, product, other); !done)
    return done;
  if (auto done = compileInBackground(jit); !done)
    return done;
  const std::string list = (std::filesystem::temp_directory_path() / "lacuna-api-tour.list").string();
  std::ofstream(list) << "matmul T=f16 BM=64 # as above\n";
  if (auto done = warmAsServersDo(jit, list); !done)
    return done;
  for (const std::vector<uint16_t> *output : {&product.c, &other})
    for (uint16_t element : *output)
      if (f16ToFloat(element) != kK + 1)
        return makeError(ErrorCode::Internal, "an element is {}, and {} is right", f16ToFloat(element), kK + 1);
  std::puts("all right");
  return {};
}

int main() {
  if (auto done = run(); !done) {
    std::fprintf(stderr, "api_tour: %s\n", done.error().render().c_str());
    return 1;
  }
  return 0;
}
