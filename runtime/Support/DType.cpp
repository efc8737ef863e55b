#include "lacuna/Runtime/DType.h"

namespace lacuna::runtime {

std::string_view dtypeName(DType dtype) {
  switch (dtype) {
  case DType::BF16:
    return "bf16";
  case DType::F16:
    return "f16";
  case DType::F32:
    return "f32";
  case DType::I32:
    return "i32";
  }
  return "f32";
}

Expected<DType> parseDType(std::string_view name) {
  for (DType dtype : {DType::BF16, DType::F16, DType::F32, DType::I32})
    if (dtypeName(dtype) == name)
      return dtype;
  return makeError(ErrorCode::InvalidArgument, "'{}' is no element type; use bf16, f16, f32 or i32", name);
}

} // namespace lacuna::runtime
