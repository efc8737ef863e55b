#include "lacuna/Runtime/LaunchSignature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

namespace lacuna::runtime {
namespace {

/// The largest extent of a view. Kernels count positions in i32, and go past an end by less than 4096: by a tile, or by
/// the rows of a last block. tile.dim promises them that (docs/dialects/tile.md).
constexpr int64_t kMaxExtent = (int64_t(1) << 31) - 4096;
constexpr int64_t kMaxCount = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxGridYZ = 65535;
/// A tensor map's strides are 40-bit byte counts.
constexpr int64_t kMaxMappedStrideBytes = int64_t(1) << 40;
constexpr uint64_t kMapAlignment = 16;

std::string_view kindName(Argument::Kind kind) {
  constexpr std::string_view kNames[] = {"a view", "a block list", "a scalar"};
  return kNames[static_cast<int>(kind)];
}

std::string_view kindName(const ArgumentValue &value) {
  constexpr std::string_view kNames[] = {"a view", "a block list", "an f32", "an i32"};
  return kNames[value.index()];
}

template <class Range> std::string joined(const Range &range) {
  std::string text;
  for (const auto &each : range)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", each);
  return "[" + text + "]";
}

/// The shape as the kernel declares it: "[B, H, M, 128]".
std::string shapeText(const Argument &argument) {
  std::vector<std::string> extents;
  extents.reserve(argument.shape.size());
  for (const Extent &extent : argument.shape)
    extents.push_back(extent.symbol.empty() ? fmt::format("{}", extent.value) : extent.symbol);
  return joined(extents);
}

tl::unexpected<Error> broken(const LaunchMetadata &metadata, std::string problem) {
  return makeError(ErrorCode::Internal, "the launch metadata of kernel '{}' contradicts itself: {}", metadata.kernel,
                   problem);
}

/// How many bytes of parameters an argument takes at most.
size_t parameterBytes(const Argument &argument) {
  if (argument.kind == Argument::Kind::View)
    return 8 * std::max<size_t>(1, argument.shape.size());
  return argument.kind == Argument::Kind::Blocks ? 48 : 4;
}

/// Whether two indices may name the same element: then, from the smallest stride up, one axis does not clear the one
/// before.
bool mayOverlap(const TensorView &view) {
  std::array<std::pair<int64_t, int64_t>, kMaxViewRank> axes;
  size_t count = 0;
  for (size_t axis = 0; axis < view.shape.size(); ++axis)
    if (view.shape[axis] > 1)
      axes[count++] = {view.strides[axis], view.shape[axis]};
  std::sort(axes.begin(), axes.begin() + count);
  int64_t reach = 0; // the largest offset of the axes so far
  for (size_t axis = 0; axis < count; ++axis) {
    if (axes[axis].first <= reach)
      return true;
    reach += axes[axis].first * (axes[axis].second - 1);
  }
  return false;
}

} // namespace

Expected<LaunchSignature> LaunchSignature::create(LaunchMetadata metadata) {
  LaunchSignature signature;
  signature.data = std::move(metadata);
  if (Expected<void> resolved = signature.resolve(); !resolved)
    return takeError(resolved);
  return signature;
}

Expected<void> LaunchSignature::resolve() {
  if (data.dims.size() > kMaxDims)
    return broken(data, fmt::format("{} dimensions, at most {} are supported", data.dims.size(), kMaxDims));
  if (data.grid.empty() || data.grid.size() > 3)
    return broken(data, fmt::format("a grid of {} expressions, 1 to 3 are allowed", data.grid.size()));
  if (data.tensorMaps.size() > kMaxTensorMaps)
    return broken(data,
                  fmt::format("{} tensor maps, at most {} are supported", data.tensorMaps.size(), kMaxTensorMaps));
  if (data.threads < 1 || data.threads > 1024 || data.sharedBytes < 0)
    return broken(data, fmt::format("{} threads and {} bytes of shared memory", data.threads, data.sharedBytes));

  size_t bytes = data.tensorMaps.size() * sizeof(cu::TensorMap) + 4 * data.dims.size(), count = 0;
  std::vector<bool> bound(data.dims.size());
  for (const Argument &argument : data.arguments) {
    bytes += parameterBytes(argument);
    count += argument.kind == Argument::Kind::View ? argument.shape.size() : 6;
    if (argument.shape.size() > kMaxViewRank)
      return broken(data, fmt::format("'{}' has rank {}", argument.name, argument.shape.size()));
    if (argument.kind == Argument::Kind::Blocks && argument.shape.size() != 2)
      return broken(data, fmt::format("the list '{}' has {} extents, not 2", argument.name, argument.shape.size()));
    if (argument.kind == Argument::Kind::View && argument.shape.empty())
      return broken(data, fmt::format("the view '{}' has rank 0", argument.name));
    std::vector<int> &dims = extentDims.emplace_back();
    for (const Extent &extent : argument.shape) {
      auto found = std::find(data.dims.begin(), data.dims.end(), extent.symbol);
      if (!extent.symbol.empty() && found == data.dims.end())
        return broken(data, fmt::format("'{}' uses the unknown dimension '{}'", argument.name, extent.symbol));
      dims.push_back(extent.symbol.empty() ? -1 : static_cast<int>(found - data.dims.begin()));
      if (dims.back() >= 0 && argument.kind == Argument::Kind::View)
        bound[dims.back()] = true;
    }
  }
  if (data.persistentBlocks < 0 || data.persistentBlocks > 32)
    return broken(data, fmt::format("{} persistent thread blocks a multiprocessor", data.persistentBlocks));
  if (data.persistentBlocks > 0)
    bytes += 2 * sizeof(void *) + 3 * sizeof(int32_t), count += 5;
  if (bytes > ParameterPack::kMaxBytes || count + data.dims.size() + data.tensorMaps.size() > ParameterPack::kMaxCount)
    return broken(data, fmt::format("{} bytes of parameters, at most {} fit", bytes, ParameterPack::kMaxBytes));
  for (size_t dim = 0; dim < bound.size(); ++dim)
    if (!bound[dim])
      return broken(data, fmt::format("no view has the dimension '{}'", data.dims[dim]));

  mapped.resize(data.arguments.size());
  for (const TensorMapSpec &map : data.tensorMaps) {
    bool known = map.argument >= 0 && map.argument < static_cast<int>(data.arguments.size());
    const Argument *argument = known ? &data.arguments[map.argument] : nullptr;
    if (!known || argument->kind != Argument::Kind::View || dtypeSize(argument->dtype) != 2 ||
        argument->shape.size() > kMaxTensorMapRank || map.rowAxis < 0 ||
        map.rowAxis + 1 >= static_cast<int>(argument->shape.size()) || map.boxRows < 1 || map.boxRows > 256 ||
        map.outerRows < 1 || map.outerRows > 256 || (map.outerRows > 1 && map.rowAxis == 0))
      return broken(data, fmt::format("a tensor map over argument {}, axis {}, {} rows by {}", map.argument,
                                      map.rowAxis, map.boxRows, map.outerRows));
    mapped[map.argument] = true;
  }

  mustBePositive.resize(data.arguments.size());
  for (const std::string &name : data.positiveScalars) {
    auto found = std::find_if(data.arguments.begin(), data.arguments.end(), [&](const Argument &argument) {
      return argument.name == name && argument.kind == Argument::Kind::Scalar;
    });
    if (found == data.arguments.end())
      return broken(data, fmt::format("'{}' must be positive and is no scalar", name));
    mustBePositive[found - data.arguments.begin()] = true;
  }

  for (const std::string &text : data.grid) {
    Expected<IntExpr> parsed = IntExpr::parse(text, data.dims);
    if (!parsed)
      return takeError(parsed);
    grid.push_back(std::move(*parsed));
  }
  for (const Constraint &constraint : data.constraints) {
    Expected<IntExpr> parsed = IntExpr::parse(constraint.expression, data.dims);
    if (!parsed)
      return takeError(parsed);
    constraints.push_back(std::move(*parsed));
  }
  return {};
}

Expected<LaunchBounds> LaunchSignature::bind(std::span<const ArgumentValue> arguments) const {
  if (arguments.size() != data.arguments.size())
    return makeError(ErrorCode::InvalidArgument, "kernel '{}' takes {} arguments, and {} were given", data.kernel,
                     data.arguments.size(), arguments.size());
  LaunchBounds bounds;
  bounds.numDims = data.dims.size();
  uint64_t bound = 0;
  for (size_t index = 0; index < arguments.size(); ++index) {
    if (Expected<void> done = checkKind(index, arguments[index]); !done)
      return takeError(done);
    if (data.arguments[index].kind == Argument::Kind::View)
      if (Expected<void> done = bindView(index, std::get<TensorView>(arguments[index]), bounds, bound); !done)
        return takeError(done);
  }
  for (size_t index = 0; index < arguments.size(); ++index)
    if (data.arguments[index].kind == Argument::Kind::Blocks)
      if (Expected<void> done = bindBlocks(data.arguments[index], std::get<BlockListView>(arguments[index]), bounds);
          !done)
        return takeError(done);
  for (size_t index = 0; index < arguments.size(); ++index)
    if (Expected<void> done = checkScalar(index, arguments[index]); !done)
      return takeError(done);
  if (Expected<void> done = computeGrid(bounds); !done)
    return takeError(done);
  return bounds;
}

Expected<void> LaunchSignature::rebind(size_t index, const ArgumentValue &value, const LaunchBounds &bounds) const {
  const Argument &argument = data.arguments[index];
  if (Expected<void> done = checkKind(index, value); !done)
    return done;
  switch (argument.kind) {
  case Argument::Kind::View:
    return checkLayout(argument, std::get<TensorView>(value), mapped[index]);
  case Argument::Kind::Blocks:
    return bindBlocks(argument, std::get<BlockListView>(value), bounds);
  case Argument::Kind::Scalar:
    break;
  }
  return checkScalar(index, value);
}

Expected<void> LaunchSignature::checkKind(size_t index, const ArgumentValue &value) const {
  const Argument &argument = data.arguments[index];
  bool fits = false;
  switch (argument.kind) {
  case Argument::Kind::View:
    fits = std::holds_alternative<TensorView>(value);
    break;
  case Argument::Kind::Blocks:
    fits = std::holds_alternative<BlockListView>(value);
    break;
  case Argument::Kind::Scalar:
    fits = argument.dtype == DType::F32 ? std::holds_alternative<float>(value) : std::holds_alternative<int32_t>(value);
    break;
  }
  if (fits)
    return {};
  return makeError(ErrorCode::InvalidArgument, "argument '{}' of kernel '{}' is {}{}, and {} was given", argument.name,
                   data.kernel, kindName(argument.kind),
                   argument.kind == Argument::Kind::Scalar ? fmt::format(" ({})", dtypeName(argument.dtype)) : "",
                   kindName(value));
}

Expected<void> LaunchSignature::bindView(size_t index, const TensorView &view, LaunchBounds &bounds,
                                         uint64_t &bound) const {
  const Argument &argument = data.arguments[index];
  if (view.dtype != argument.dtype)
    return makeError(ErrorCode::InvalidArgument,
                     "argument '{}' is {}, and kernel '{}' was compiled for {}; convert it, or "
                     "compile for {}",
                     argument.name, dtypeName(view.dtype), data.kernel, dtypeName(argument.dtype),
                     dtypeName(view.dtype));
  if (view.shape.size() != argument.shape.size() || view.strides.size() != argument.shape.size())
    return makeError(ErrorCode::InvalidArgument,
                     "argument '{}' has {} extents and {} strides, and kernel '{}' wants {} of each: {}", argument.name,
                     view.shape.size(), view.strides.size(), data.kernel, argument.shape.size(), shapeText(argument));
  for (size_t axis = 0; axis < view.shape.size(); ++axis) {
    int64_t extent = view.shape[axis];
    int dim = extentDims[index][axis];
    if (extent < 1 || extent > kMaxExtent)
      return makeError(ErrorCode::InvalidArgument, "argument '{}' has extent {} on axis {} of {}; 1 to {} are allowed",
                       argument.name, extent, axis, shapeText(argument), kMaxExtent);
    if (dim < 0 && extent != argument.shape[axis].value)
      return makeError(ErrorCode::InvalidArgument,
                       "argument '{}' has extent {} on axis {}, and kernel '{}' was compiled for {} there: {}",
                       argument.name, extent, axis, data.kernel, argument.shape[axis].value, shapeText(argument));
    if (dim < 0)
      continue;
    if (!(bound >> dim & 1)) {
      bounds.dims[dim] = extent;
      bound |= uint64_t(1) << dim;
    } else if (bounds.dims[dim] != extent) {
      size_t first = 0;
      while (data.arguments[first].kind != Argument::Kind::View ||
             std::find(extentDims[first].begin(), extentDims[first].end(), dim) == extentDims[first].end())
        ++first;
      return makeError(ErrorCode::InvalidArgument,
                       "argument '{}' has extent {} on axis {} ({}), and {} is {} from argument '{}'; make them equal",
                       argument.name, extent, axis, data.dims[dim], data.dims[dim], bounds.dims[dim],
                       data.arguments[first].name);
    }
  }
  return checkLayout(argument, view, mapped[index]);
}

Expected<void> LaunchSignature::checkLayout(const Argument &argument, const TensorView &view, bool isMapped) const {
  if (!view.data)
    return makeError(ErrorCode::InvalidArgument, "argument '{}' is a null pointer; give memory of shape {}",
                     argument.name, joined(view.shape));
  if (view.strides.back() != 1 && view.shape.back() != 1)
    return makeError(ErrorCode::InvalidArgument,
                     "argument '{}' has stride {} on its innermost axis; it must be 1, so make a contiguous copy",
                     argument.name, view.strides.back());
  uint64_t address = reinterpret_cast<uint64_t>(view.data),
           alignment = isMapped ? kMapAlignment : std::max<uint64_t>(argument.alignment, dtypeSize(view.dtype));
  if (address % alignment != 0)
    return makeError(ErrorCode::InvalidArgument,
                     "argument '{}' starts at address {:#x}; it must be a multiple of {} bytes", argument.name, address,
                     alignment);

  int64_t last = 0, size = static_cast<int64_t>(dtypeSize(view.dtype)); // the offset of the last element
  bool overflow = false;
  for (size_t axis = 0; axis < view.shape.size(); ++axis) {
    int64_t stride = view.strides[axis], reach = 0;
    if (stride < 0)
      return makeError(ErrorCode::InvalidArgument,
                       "argument '{}' has stride {} on axis {}; strides must not be negative", argument.name, stride,
                       axis);
    overflow |=
        __builtin_mul_overflow(stride, view.shape[axis] - 1, &reach) || __builtin_add_overflow(last, reach, &last);
    if (axis + 1 == view.shape.size() || view.shape[axis] == 1)
      continue;
    int64_t strideBytes = 0;
    overflow |= __builtin_mul_overflow(stride, size, &strideBytes);
    if (!isMapped && strideBytes % static_cast<int64_t>(alignment) != 0)
      return makeError(
          ErrorCode::InvalidArgument,
          "argument '{}' has stride {} ({} bytes) on axis {}; the kernel needs a multiple of {} bytes, so pad "
          "the rows",
          argument.name, stride, strideBytes, axis, alignment);
    if (isMapped && (strideBytes % static_cast<int64_t>(kMapAlignment) != 0 || strideBytes >= kMaxMappedStrideBytes))
      return makeError(
          ErrorCode::InvalidArgument,
          "argument '{}' has stride {} ({} bytes) on axis {}; it must be a multiple of {} elements ({} bytes) "
          "below 2^40 bytes, so pad the rows",
          argument.name, stride, strideBytes, axis, kMapAlignment / size, kMapAlignment);
  }
  int64_t end = 0;
  overflow |= __builtin_add_overflow(last, int64_t(1), &end) || __builtin_mul_overflow(end, size, &end) ||
              __builtin_add_overflow(address, static_cast<uint64_t>(end), &address);
  if (overflow)
    return makeError(ErrorCode::InvalidArgument,
                     "argument '{}' of shape {} and strides {} reaches past 64-bit addresses; check the strides",
                     argument.name, joined(view.shape), joined(view.strides));
  if (argument.output && mayOverlap(view))
    return makeError(
        ErrorCode::InvalidArgument,
        "argument '{}' is written, and with shape {} and strides {} several elements share memory; give each "
        "its own",
        argument.name, joined(view.shape), joined(view.strides));
  return {};
}

Expected<void> LaunchSignature::bindBlocks(const Argument &argument, const BlockListView &list,
                                           const LaunchBounds &bounds) const {
  auto wanted = [&](size_t axis) {
    const Extent &extent = argument.shape[axis];
    size_t index = static_cast<size_t>(&argument - data.arguments.data());
    return extent.symbol.empty() ? extent.value : bounds.dims[extentDims[index][axis]];
  };
  auto checkCount = [&](size_t axis, int64_t given, std::string_view what) -> Expected<void> {
    if (given == 1 || given == wanted(axis))
      return {};
    return makeError(ErrorCode::InvalidArgument, "list '{}' has {} {}; give {} (one each) or 1 (shared)", argument.name,
                     given, what, wanted(axis));
  };
  if (Expected<void> done = checkCount(0, list.batches, "batches"); !done)
    return done;
  if (Expected<void> done = checkCount(1, list.heads, "heads"); !done)
    return done;
  int64_t rows = 0;
  if (list.rowBlocks < 1 || list.rowBlocks > kMaxCount ||
      __builtin_mul_overflow(list.batches * list.heads, list.rowBlocks, &rows))
    return makeError(ErrorCode::InvalidArgument,
                     "list '{}' has {} row blocks in {} lists; give 1 to {} row blocks, ceil(rows / {})", argument.name,
                     list.rowBlocks, list.batches * list.heads, kMaxCount, argument.queryBlock);
  if (list.entries < 0 || list.entries > kMaxCount)
    return makeError(ErrorCode::InvalidArgument, "list '{}' has {} entries; 0 to {} are allowed", argument.name,
                     list.entries, kMaxCount);
  const std::pair<const int32_t *, std::string_view> pointers[] = {
      {list.indptr, "indptr"}, {list.split, "split"}, {list.indices, "indices"}};
  for (const auto &[pointer, part] : pointers) {
    if (!pointer && !(part == "indices" && list.entries == 0))
      return makeError(ErrorCode::InvalidArgument, "list '{}' has a null pointer for {}; give an array of int32",
                       argument.name, part);
    if (reinterpret_cast<uint64_t>(pointer) % alignof(int32_t) != 0)
      return makeError(ErrorCode::InvalidArgument,
                       "list '{}' has {} at address {:#x}; it must be a multiple of 4 bytes", argument.name, part,
                       reinterpret_cast<uint64_t>(pointer));
  }
  return {};
}

Expected<void> LaunchSignature::checkScalar(size_t index, const ArgumentValue &argument) const {
  if (!mustBePositive[index])
    return {};
  const float *real = std::get_if<float>(&argument);
  double value = real ? *real : std::get<int32_t>(argument);
  if (value > 0 && std::isfinite(value))
    return {};
  return makeError(
      ErrorCode::InvalidArgument,
      "argument '{}' is {}, and kernel '{}' was compiled for finite values above 0; compile it without that fact "
      "for other values",
      data.arguments[index].name, value, data.kernel);
}

Expected<void> LaunchSignature::computeGrid(LaunchBounds &bounds) const {
  std::span<const int64_t> dims(bounds.dims.data(), bounds.numDims);
  auto values = [&] {
    std::vector<std::string> texts;
    texts.reserve(dims.size());
    for (size_t dim = 0; dim < dims.size(); ++dim)
      texts.push_back(fmt::format("{} = {}", data.dims[dim], dims[dim]));
    return joined(texts);
  };
  for (size_t index = 0; index < constraints.size(); ++index) {
    Expected<int64_t> holds = constraints[index].evaluate(dims);
    if (!holds)
      return takeError(holds);
    if (*holds == 0)
      return makeError(ErrorCode::InvalidArgument, "kernel '{}' requires {}, which does not hold for {}", data.kernel,
                       data.constraints[index].source, values());
  }
  int64_t programs = 1;
  for (size_t axis = 0; axis < grid.size(); ++axis) {
    Expected<int64_t> extent = grid[axis].evaluate(dims);
    if (!extent)
      return takeError(extent);
    int64_t limit = axis == 0 || data.target == "cpu" ? kMaxCount : kMaxGridYZ;
    if (*extent < 1 || *extent > limit || __builtin_mul_overflow(programs, *extent, &programs))
      return makeError(ErrorCode::Unsupported,
                       "the grid of kernel '{}' has {} = {} on axis {}, and 1 to {} are allowed; split "
                       "the launch. Dimensions: {}",
                       data.kernel, grid[axis].text(), *extent, "xyz"[axis], limit, values());
    // Programs are numbered by i32, and a position past the last one must still be an i32.
    if (data.persistentBlocks > 0 && programs > kMaxCount / 2)
      return makeError(ErrorCode::Unsupported,
                       "the grid of kernel '{}' has {} programs, and 1 to {} are allowed; split the launch. "
                       "Dimensions: {}",
                       data.kernel, programs, kMaxCount / 2, values());
    bounds.grid[axis] = *extent;
  }
  return {};
}

Expected<LaunchBounds> bindArguments(const LaunchMetadata &metadata, std::span<const ArgumentValue> arguments) {
  Expected<LaunchSignature> signature = LaunchSignature::create(metadata);
  if (!signature)
    return takeError(signature);
  return signature->bind(arguments);
}

} // namespace lacuna::runtime
