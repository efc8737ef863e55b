// dlpack.h before lacuna.h: its tensor is ours.
#include <dlpack/dlpack.h>

#include "TensorLayout.h"

#include <doctest/doctest.h>

#include <type_traits>

static_assert(std::is_same_v<lacuna_tensor, DLTensor>);
static_assert(int(LACUNA_DEVICE_CPU) == kDLCPU && int(LACUNA_DEVICE_CUDA) == kDLCUDA &&
              int(LACUNA_DEVICE_CUDA_HOST) == kDLCUDAHost && int(LACUNA_DEVICE_CUDA_MANAGED) == kDLCUDAManaged);
static_assert(int(LACUNA_INT) == kDLInt && int(LACUNA_FLOAT) == kDLFloat && int(LACUNA_BFLOAT) == kDLBfloat);

TensorLayout layoutOfDLPack() {
  return kTensorLayout;
}

TEST_CASE("a DLTensor goes into an argument without a cast") {
  DLTensor tensor = {};
  lacuna_argument argument = lacuna_tensor_argument(&tensor);
  CHECK(argument.kind == LACUNA_ARGUMENT_TENSOR);
  CHECK(argument.value.tensor == &tensor);
}
