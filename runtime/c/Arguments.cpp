#include "Arguments.h"

namespace lacuna::c {
namespace {

using namespace runtime;

constexpr int kMaxRank = 32;

Expected<DType> convertType(const std::string &what, const lacuna_tensor &tensor) {
  const unsigned code = tensor.dtype.code, bits = tensor.dtype.bits, lanes = tensor.dtype.lanes;
  if (lanes == 1 && code == LACUNA_BFLOAT && bits == 16)
    return DType::BF16;
  if (lanes == 1 && code == LACUNA_FLOAT && bits == 16)
    return DType::F16;
  if (lanes == 1 && code == LACUNA_FLOAT && bits == 32)
    return DType::F32;
  if (lanes == 1 && code == LACUNA_INT && bits == 32)
    return DType::I32;
  return makeError(
      ErrorCode::InvalidArgument,
      "{} has DLPack type code {} of {} bits in {} lanes; give bf16 (4, 16), f16 (2, 16), f32 (2, 32) or i32 "
      "(0, 32) in one lane",
      what, code, bits, lanes);
}

/// Whether the kernel's device reaches the tensor's memory.
Expected<void> checkDevice(const std::string &what, const Place &place, const lacuna_tensor &tensor) {
  const int type = tensor.device.device_type, id = tensor.device.device_id;
  const bool pinned = type == LACUNA_DEVICE_CUDA_HOST || type == LACUNA_DEVICE_CUDA_MANAGED;
  if (!place.gpu) {
    if (type == LACUNA_DEVICE_CPU || pinned)
      return {};
    return makeError(ErrorCode::InvalidArgument,
                     "{} lies on DLPack device {}:{}, and the kernel was compiled for the CPU; copy it to host memory "
                     "(device 1)",
                     what, type, id);
  }
  const int ordinal = place.gpu->info().ordinal;
  if (pinned || (type == LACUNA_DEVICE_CUDA && id == ordinal))
    return {};
  return makeError(ErrorCode::InvalidArgument,
                   "{} lies on DLPack device {}:{}, and the kernel is loaded on GPU {}; copy it there (device 2:{})",
                   what, type, id, ordinal, ordinal);
}

Expected<TensorView> convertTensor(const std::string &what, const Place &place, const lacuna_tensor *tensor) {
  if (!tensor)
    return makeError(ErrorCode::InvalidArgument, "{} is NULL; give a tensor", what);
  Expected<DType> dtype = convertType(what, *tensor);
  if (!dtype)
    return takeError(dtype);
  if (Expected<void> reached = checkDevice(what, place, *tensor); !reached)
    return takeError(reached);
  if (tensor->ndim < 0 || tensor->ndim > kMaxRank || (tensor->ndim > 0 && !tensor->shape))
    return makeError(ErrorCode::InvalidArgument, "{} has rank {}{}; give 0 to {} extents in shape", what, tensor->ndim,
                     tensor->shape ? "" : " and NULL for shape", kMaxRank);
  // A NULL stays one, whatever the offset, for the runtime to refuse by name.
  void *data = tensor->data ? static_cast<std::byte *>(tensor->data) + tensor->byte_offset : nullptr;
  const auto rank = static_cast<size_t>(tensor->ndim);
  std::vector<int64_t> shape(tensor->shape, tensor->shape + rank);
  if (!tensor->strides)
    return TensorView::contiguous(data, *dtype, std::move(shape));
  return TensorView{data, *dtype, std::move(shape), {tensor->strides, tensor->strides + rank}};
}

/// A part of a list: int32, rank 1, without gaps. Gives its length.
Expected<std::pair<const int32_t *, int64_t>> convertPart(const std::string &what, const Place &place,
                                                          const lacuna_tensor *tensor) {
  Expected<TensorView> view = convertTensor(what, place, tensor);
  if (!view)
    return takeError(view);
  if (view->dtype != DType::I32 || view->shape.size() != 1 || (view->strides[0] != 1 && view->shape[0] > 1))
    return makeError(ErrorCode::InvalidArgument, "{} is {} of rank {}{}; give int32 of rank 1 without gaps", what,
                     dtypeName(view->dtype), view->shape.size(),
                     view->shape.size() == 1 ? fmt::format(" and stride {}", view->strides[0]) : "");
  return std::pair(static_cast<const int32_t *>(view->data), view->shape[0]);
}

} // namespace

Expected<BlockListView> convertList(const std::string &name, const Place &place, const lacuna_block_list *list) {
  if (!list)
    return makeError(ErrorCode::InvalidArgument, "list '{}' is NULL; give a lacuna_block_list", name);
  auto indptr = convertPart(fmt::format("indptr of list '{}'", name), place, list->indptr);
  if (!indptr)
    return takeError(indptr);
  auto split = convertPart(fmt::format("split of list '{}'", name), place, list->split);
  if (!split)
    return takeError(split);
  auto indices = convertPart(fmt::format("indices of list '{}'", name), place, list->indices);
  if (!indices)
    return takeError(indices);
  int64_t rows = 0;
  if (list->batches < 1 || list->heads < 1 || list->row_blocks < 1 ||
      __builtin_mul_overflow(list->batches, list->heads, &rows) ||
      __builtin_mul_overflow(rows, list->row_blocks, &rows))
    return makeError(ErrorCode::InvalidArgument,
                     "list '{}' has {} batches, {} heads and {} row blocks; each is 1 or more", name, list->batches,
                     list->heads, list->row_blocks);
  if (split->second != rows || indptr->second - 1 != rows)
    return makeError(
        ErrorCode::InvalidArgument,
        "list '{}' has {} rows (batches x heads x row blocks), and indptr has {} entries and split {}; give "
        "rows + 1 and rows",
        name, rows, indptr->second, split->second);
  return BlockListView{indptr->first, split->first,     indices->first, list->batches,
                       list->heads,   list->row_blocks, indices->second};
}

Expected<std::vector<ArgumentValue>> convertArguments(const LaunchMetadata &metadata, const Place &place,
                                                      std::span<const lacuna_argument> arguments) {
  std::vector<ArgumentValue> values;
  values.reserve(arguments.size());
  for (size_t index = 0; index < arguments.size(); ++index) {
    // A wrong number is the runtime's to refuse.
    const std::string name =
        index < metadata.arguments.size() ? metadata.arguments[index].name : fmt::format("number {}", index);
    const lacuna_argument &argument = arguments[index];
    switch (argument.kind) {
    case LACUNA_ARGUMENT_TENSOR: {
      Expected<TensorView> view = convertTensor(fmt::format("argument '{}'", name), place, argument.value.tensor);
      if (!view)
        return takeError(view);
      values.emplace_back(std::move(*view));
      continue;
    }
    case LACUNA_ARGUMENT_BLOCK_LIST: {
      Expected<BlockListView> list = convertList(name, place, argument.value.block_list);
      if (!list)
        return takeError(list);
      values.emplace_back(*list);
      continue;
    }
    case LACUNA_ARGUMENT_F32:
      values.emplace_back(argument.value.f32);
      continue;
    case LACUNA_ARGUMENT_I32:
      values.emplace_back(argument.value.i32);
      continue;
    }
    return makeError(
        ErrorCode::InvalidArgument,
        "argument '{}' has kind {}; give one of lacuna_argument_kind, 0 to 3 (lacuna_tensor_argument and its "
        "like set it)",
        name, static_cast<int>(argument.kind));
  }
  return values;
}

} // namespace lacuna::c
