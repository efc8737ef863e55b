// What stops at the C interface: whatever a caller's function throws, and an error for whose text there is no memory.
#include "CSupport.h"

#include <cstdlib>
#include <new>
#include <stdexcept>

namespace {

thread_local bool heapIsEmpty = false;

void throwNumber(const lacuna_compile_event *, void *) {
  throw 7;
}

void throwWithoutMemory(const lacuna_compile_event *, void *) {
  std::runtime_error failure("a sentence that does not fit into a string without heap");
  heapIsEmpty = true;
  throw failure;
}

/// Compiles with a listener that throws.
lacuna_status compileWith(lacuna_listener listener) {
  Cpu cpu;
  lacuna_jit *jit = nullptr;
  REQUIRE(lacuna_jit_with_listener(cpu.jit, listener, nullptr, &jit) == LACUNA_OK);
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  spec.source = kSource;
  lacuna_kernel *kernel = nullptr;
  lacuna_status status = lacuna_compile(jit, &spec, &kernel);
  heapIsEmpty = false;
  CHECK(kernel == nullptr);
  lacuna_jit_destroy(jit);
  return status;
}

} // namespace

void *operator new(size_t size) {
  void *memory = heapIsEmpty ? nullptr : std::malloc(size > 0 ? size : 1);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}
void operator delete(void *memory) noexcept {
  std::free(memory);
}
void operator delete(void *memory, size_t) noexcept {
  std::free(memory);
}

TEST_CASE("what is thrown and is no std::exception stops at the interface") {
  CHECK(compileWith(throwNumber) == LACUNA_INTERNAL);
  CHECK(std::string(lacuna_last_error()) == "stopped: by something thrown that is no std::exception");
}

TEST_CASE("what is thrown in a thread of ours stops at the interface, too") {
  Cpu cpu;
  lacuna_jit *jit = nullptr;
  REQUIRE(lacuna_jit_with_listener(cpu.jit, throwNumber, nullptr, &jit) == LACUNA_OK);
  lacuna_kernel_spec specs[4] = {LACUNA_KERNEL_SPEC_INIT, LACUNA_KERNEL_SPEC_INIT, LACUNA_KERNEL_SPEC_INIT,
                                 LACUNA_KERNEL_SPEC_INIT};
  for (lacuna_kernel_spec &spec : specs)
    spec.source = kSource;
  CHECK(lacuna_warm(jit, specs, 4, 0, 2) == LACUNA_INTERNAL);
  CHECK(std::string(lacuna_last_error()) == "stopped: by something thrown that is no std::exception");
  lacuna_compilation *compilation = nullptr;
  lacuna_kernel *kernel = nullptr;
  REQUIRE(lacuna_compile_start(jit, specs, &compilation) == LACUNA_OK);
  CHECK(lacuna_compilation_wait(compilation, &kernel) == LACUNA_INTERNAL);
  lacuna_compilation_destroy(compilation);
  lacuna_jit_destroy(jit);
}

TEST_CASE("an error without memory for its text is told all the same, and the next one in full") {
  CHECK(compileWith(throwWithoutMemory) == LACUNA_INTERNAL);
  CHECK(std::string(lacuna_last_error()) == "stopped, and there is no memory to say by what");
  CHECK(lacuna_compile(nullptr, nullptr, nullptr) == LACUNA_INVALID_ARGUMENT);
  CHECK(std::string(lacuna_last_error()).find("lacuna_compile was given NULL") != std::string::npos);
}
