// Compiles a kernel of the library for the CPU and runs it.
#include "lacuna/Jit/Jit.h"

#include <cstdio>

using namespace lacuna;
using namespace lacuna::runtime;

int main() {
  auto kernel = Jit::forCpu().compile({.params = {{"T", "f16"}}, .library = "matmul"});
  if (!kernel) {
    std::fprintf(stderr, "consumer: %s\n", kernel.error().render().c_str());
    return 1;
  }
  std::vector<uint16_t> a(16 * 8, floatToF16(1)), b(8 * 24, floatToF16(2)), c(16 * 24);
  std::vector<float> bias(24);
  auto done = kernel->launch(std::vector<ArgumentValue>{
      TensorView::contiguous(a.data(), DType::F16, {1, 16, 8}),
      TensorView::contiguous(b.data(), DType::F16, {1, 8, 24}), TensorView::contiguous(bias.data(), DType::F32, {24}),
      TensorView::contiguous(c.data(), DType::F16, {1, 16, 24}), 1.0f});
  if (!done) {
    std::fprintf(stderr, "consumer: %s\n", done.error().render().c_str());
    return 1;
  }
  std::printf("c[0] = %g\n", f16ToFloat(c[0]));
  return f16ToFloat(c[0]) == 16 ? 0 : 1;
}
