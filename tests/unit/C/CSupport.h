// Tensors, a kernel and a compiler for the tests of the C interface.
#pragma once

#include "lacuna/c/lacuna.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

inline constexpr const char *kSource = R"(
param D in {16, 32} = 16
hook after(v) -> f32 = v
kernel centre(x: f32[M, D], y: out f32[M, D], scale: f32)
  grid (i: ceildiv(M, 16))
{
  let s = (load x[i * 16 :+ 16, :]) * scale
  store y[i * 16 :+ 16, :] = map (v in s - rowmax(s)) => after(v)
}
)";

/// A tensor with its shape.
struct Tensor {
  std::vector<int64_t> shape, strides;
  lacuna_tensor view = {};

  Tensor(void *data, std::vector<int64_t> extents, int code = LACUNA_FLOAT, int bits = 32,
         int device = LACUNA_DEVICE_CPU, int id = 0)
      : shape(std::move(extents)) {
    view.data = data;
    view.device.device_type = device;
    view.device.device_id = id;
    view.ndim = static_cast<int32_t>(shape.size());
    view.dtype.code = static_cast<uint8_t>(code);
    view.dtype.bits = static_cast<uint8_t>(bits);
    view.dtype.lanes = 1;
    view.shape = shape.data();
  }
  Tensor(const Tensor &) = delete;
};

inline lacuna_kernel *compile(lacuna_jit *jit, const char *source, const char *file = "test.tile") {
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  spec.source = source;
  spec.file = file;
  lacuna_kernel *kernel = nullptr;
  REQUIRE_MESSAGE(lacuna_compile(jit, &spec, &kernel) == LACUNA_OK, lacuna_last_error());
  return kernel;
}

inline std::string refused(lacuna_status status, lacuna_status expected = LACUNA_INVALID_ARGUMENT) {
  CHECK_MESSAGE(status == expected, lacuna_status_name(status));
  return lacuna_last_error();
}

/// A compiler for the CPU, and a kernel.
struct Cpu {
  lacuna_jit *jit = nullptr;
  lacuna_kernel *kernel = nullptr;
  std::vector<float> x = std::vector<float>(20 * 16), y = std::vector<float>(20 * 16, -7), z = y;

  Cpu() {
    REQUIRE(lacuna_jit_create_cpu(1, &jit) == LACUNA_OK);
    kernel = compile(jit, kSource);
    for (size_t index = 0; index < x.size(); ++index)
      x[index] = static_cast<float>(index * 37 % 101);
  }
  ~Cpu() {
    lacuna_kernel_destroy(kernel);
    lacuna_jit_destroy(jit);
  }
  bool right(const std::vector<float> &output, float scale) const {
    for (size_t row = 0; row < 20; ++row) {
      float top = -INFINITY;
      for (size_t column = 0; column < 16; ++column)
        top = std::fmax(top, scale * x[row * 16 + column]);
      for (size_t column = 0; column < 16; ++column)
        if (std::abs(output[row * 16 + column] - (scale * x[row * 16 + column] - top)) > 1e-4f)
          return false;
    }
    return true;
  }
};
