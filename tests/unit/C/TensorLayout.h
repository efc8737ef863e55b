// Where the members of lacuna_tensor lie: included by a file that has dlpack.h before lacuna.h, and by one that has
// not.
#pragma once

#include "lacuna/c/lacuna.h"

#include <array>
#include <cstddef>

using TensorLayout = std::array<size_t, 12>;

static constexpr TensorLayout kTensorLayout = {
    sizeof(lacuna_tensor),
    offsetof(lacuna_tensor, data),
    offsetof(lacuna_tensor, device),
    offsetof(lacuna_tensor, device.device_type),
    offsetof(lacuna_tensor, device.device_id),
    offsetof(lacuna_tensor, ndim),
    offsetof(lacuna_tensor, dtype.code),
    offsetof(lacuna_tensor, dtype.bits),
    offsetof(lacuna_tensor, dtype.lanes),
    offsetof(lacuna_tensor, shape),
    offsetof(lacuna_tensor, strides),
    offsetof(lacuna_tensor, byte_offset),
};

/// The layout with dlpack.h included first.
TensorLayout layoutOfDLPack();
