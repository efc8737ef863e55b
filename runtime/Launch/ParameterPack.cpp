#include "lacuna/Runtime/LaunchSignature.h"

#include <cassert>

namespace lacuna::runtime {

namespace {

/// Calls visit(value) for each parameter that an argument becomes, in order.
template <class Visit> void forEachParameter(const ArgumentValue &argument, Visit visit) {
  if (const auto *view = std::get_if<TensorView>(&argument)) {
    visit(view->data);
    for (size_t axis = 0; axis + 1 < view->strides.size(); ++axis)
      visit(view->strides[axis]);
  } else if (const auto *list = std::get_if<BlockListView>(&argument)) {
    visit(list->indptr);
    visit(list->split);
    visit(list->indices);
    visit(list->batches == 1 ? int64_t(0) : list->heads * list->rowBlocks);
    visit(list->heads == 1 ? int64_t(0) : list->rowBlocks);
    visit(static_cast<int32_t>(list->rowBlocks));
  } else if (const auto *real = std::get_if<float>(&argument)) {
    visit(*real);
  } else {
    visit(std::get<int32_t>(argument));
  }
}

} // namespace

TensorView TensorView::contiguous(void *data, DType dtype, std::vector<int64_t> shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    // A wrong extent is bind()'s to refuse; here it only must not overflow.
    if (__builtin_mul_overflow(stride, shape[axis], &stride))
      stride = 0;
  }
  return {data, dtype, std::move(shape), std::move(strides)};
}

void ParameterPack::add(const void *value, size_t bytes, size_t alignment) {
  used = (used + alignment - 1) / alignment * alignment;
  assert(used + bytes <= kMaxBytes && count < kMaxCount && "LaunchSignature::create checks the sizes");
  std::memcpy(storage.data() + used, value, bytes);
  slots[count++] = storage.data() + used;
  used += bytes;
}

void ParameterPack::addArguments(std::span<const ArgumentValue> arguments, const LaunchBounds &bounds) {
  for (const ArgumentValue &argument : arguments)
    addArgument(argument);
  for (size_t dim = 0; dim < bounds.numDims; ++dim)
    add(static_cast<int32_t>(bounds.dims[dim]));
}

void ParameterPack::addArgument(const ArgumentValue &argument) {
  forEachParameter(argument, [&](const auto &value) { add(value); });
}

void ParameterPack::setArgument(size_t slot, const ArgumentValue &argument) {
  forEachParameter(argument, [&](const auto &value) { set(slot++, value); });
}

void ParameterPack::addPrograms(int32_t *queue, const int32_t *order, const LaunchBounds &bounds, int64_t programs) {
  add(queue);
  add(order);
  for (int64_t extent : {bounds.grid[0], bounds.grid[1], programs})
    add(static_cast<int32_t>(extent));
}

} // namespace lacuna::runtime
