// What a launch asks of the heap.
#include "lacuna/Jit/Jit.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {
thread_local size_t allocations = 0;
} // namespace

void *operator new(size_t size) {
  ++allocations;
  if (void *memory = std::malloc(size > 0 ? size : 1))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept {
  std::free(memory);
}
void operator delete(void *memory, size_t) noexcept {
  std::free(memory);
}

TEST_CASE("a launch of the general variant allocates no more than one of the positive") {
  auto kernel = Jit::forCpu().compile({.file = "a_name_that_is_too_long_for_a_string_without_heap.tile", .source = R"(
kernel scaled(x: f32[M, 16], y: out f32[M, 16], scale: f32)
  grid (i: ceildiv(M, 16))
{
  let s = (load x[i * 16 :+ 16, :]) * scale
  store y[i * 16 :+ 16, :] = exp(s - rowmax(s))
}
)"});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  std::vector<float> x(16 * 16, 1), y(16 * 16);
  auto launch = [&](float scale) {
    const std::vector<ArgumentValue> arguments = {TensorView{x.data(), DType::F32, {16, 16}, {16, 1}},
                                                  TensorView{y.data(), DType::F32, {16, 16}, {16, 1}}, scale};
    const size_t before = allocations;
    REQUIRE(kernel->launch(arguments));
    return allocations - before;
  };
  for (float scale : {1.0f, -1.0f}) // the first compiles
    (void)launch(scale);
  CHECK(launch(-1) == launch(1));
}
