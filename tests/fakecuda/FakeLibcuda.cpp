// A libcuda.so without a GPU (LACUNA_DRIVER): one H100-like device whose kernels do nothing. It lets the programs be
// tested on the way to a GPU: what is compiled, cached and loaded.
#include "Runtime/FakeCuda.h"

extern "C" __attribute__((visibility("default"))) lacuna::runtime::cu::Result
cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags, int *status) {
  return lacuna::runtime::fake::resolve(name, function, version, flags, status);
}
