// Loads a kernel of a bundle by its params, launches it on a caller's stream, and looks that no compiler came with it.
#include "lacuna/Runtime/Bundle.h"
#include "lacuna/Runtime/PreparedLaunch.h"

#include <cstdio>
#include <fstream>
#include <string>

using namespace lacuna;
using namespace lacuna::runtime;

static Expected<void> run(const char *path) {
  Expected<Bundle> bundle = Bundle::read(path);
  if (!bundle)
    return takeError(bundle);
  Expected<Device> device = Device::open();
  if (!device)
    return takeError(device);
  Expected<Kernel> kernel = bundle->load(*device, "matmul", {{"T", "f16"}});
  if (!kernel)
    return takeError(kernel);
  constexpr int64_t kM = 300, kN = 200, kK = 264;
  Expected<DeviceBuffer> memory = DeviceBuffer::allocate(*device, 1 << 20);
  if (!memory)
    return takeError(memory);
  auto at = [&](size_t offset) { return static_cast<std::byte *>(memory->data()) + offset; };
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(at(0), DType::F16, {1, kM, kK}),
                                          TensorView::contiguous(at(1 << 18), DType::F16, {1, kK, kN}),
                                          TensorView::contiguous(at(3 << 18), DType::F32, {kN}),
                                          TensorView::contiguous(at(1 << 19), DType::F16, {1, kM, kN}), 1.0f};
  Expected<Stream> stream = Stream::create(*device);
  if (!stream)
    return takeError(stream);
  Expected<PreparedLaunch> prepared = kernel->prepare(*stream, arguments);
  if (!prepared)
    return takeError(prepared);
  return prepared->run().and_then([&] { return stream->synchronize(); });
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  if (Expected<void> done = run(argv[1]); !done) {
    std::fprintf(stderr, "consumer: %s\n", done.error().render().c_str());
    return 1;
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("libLLVM") != std::string::npos || line.find("libMLIR") != std::string::npos) {
      std::fprintf(stderr, "consumer: the runtime has mapped a compiler: %s\n", line.c_str());
      return 1;
    }
  std::puts("launched without a compiler");
  return 0;
}
