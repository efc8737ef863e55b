#include "MetadataBuilder.h"

#include "lacuna/Compiler/Conversion/WarpToLLVM.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace lacuna {

static runtime::DType dtypeOf(Type type) {
  if (type.isBF16())
    return runtime::DType::BF16;
  if (type.isF16())
    return runtime::DType::F16;
  return type.isF32() ? runtime::DType::F32 : runtime::DType::I32;
}

static std::vector<runtime::Extent> extentsOf(ArrayRef<Attribute> extents) {
  std::vector<runtime::Extent> result;
  for (Attribute extent : extents) {
    if (auto name = dyn_cast<StringAttr>(extent))
      result.push_back({name.str(), 0});
    else
      result.push_back({"", cast<IntegerAttr>(extent).getInt()});
  }
  return result;
}

static std::vector<std::string> stringsOf(Operation *op, StringRef name) {
  std::vector<std::string> result;
  if (auto array = op->getAttrOfType<ArrayAttr>(name))
    for (Attribute entry : array)
      result.push_back(cast<StringAttr>(entry).str());
  return result;
}

Expected<runtime::LaunchMetadata> describeKernel(ModuleOp module) {
  FunctionOpInterface kernel;
  for (Operation &op : *module.getBody())
    if (isa<tile::FuncOp, warp::FuncOp>(op)) {
      if (kernel)
        return makeError(ErrorCode::Internal, "the module holds more than one kernel");
      kernel = cast<FunctionOpInterface>(op);
    }
  if (!kernel)
    return makeError(ErrorCode::Internal, "the module holds no kernel");
  runtime::LaunchMetadata metadata{.kernel = kernel.getName().str(), .symbol = "", .target = ""};
  metadata.dims = stringsOf(kernel, "dims");
  metadata.grid = stringsOf(kernel, "grid");
  for (const std::string &expression : stringsOf(kernel, "constraints"))
    metadata.constraints.push_back({expression, expression});
  for (auto [index, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    auto name = kernel.getArgAttrOfType<StringAttr>(index, tile::kNameAttr);
    runtime::Argument argument;
    argument.name = name ? name.str() : ("argument " + Twine(index)).str();
    argument.output = kernel.getArgAttr(index, tile::kOutputAttr) != nullptr;
    if (auto view = dyn_cast<tile::ViewType>(type)) {
      argument.kind = runtime::Argument::Kind::View;
      argument.dtype = dtypeOf(view.getElementType());
      argument.shape = extentsOf(view.getExtents());
    } else if (auto blocks = dyn_cast<tile::BlocksType>(type)) {
      argument.kind = runtime::Argument::Kind::Blocks;
      argument.dtype = runtime::DType::I32;
      argument.shape = extentsOf(blocks.getExtents());
      argument.queryBlock = blocks.getQueryBlock();
      argument.keyBlock = blocks.getKeyBlock();
    } else {
      argument.kind = runtime::Argument::Kind::Scalar;
      argument.dtype = dtypeOf(type);
      if (kernel.getArgAttr(index, tile::kPositiveAttr))
        metadata.positiveScalars.push_back(argument.name);
    }
    metadata.arguments.push_back(std::move(argument));
  }
  return metadata;
}

void addGpuLaunch(ModuleOp module, runtime::LaunchMetadata &metadata) {
  for (auto func : module.getOps<LLVM::LLVMFuncOp>()) {
    auto launch = func->getAttrOfType<DictionaryAttr>(kLaunchAttr);
    if (!launch)
      continue;
    metadata.threads = static_cast<int>(launch.getAs<IntegerAttr>("threads").getInt());
    metadata.sharedBytes = launch.getAs<IntegerAttr>("shared_bytes").getInt();
    if (auto blocks = launch.getAs<IntegerAttr>("persistent_blocks"))
      metadata.persistentBlocks = static_cast<int>(blocks.getInt());
    for (Attribute entry : launch.getAs<ArrayAttr>("tensor_maps")) {
      auto at = [&](int i) { return static_cast<int>(cast<IntegerAttr>(cast<ArrayAttr>(entry)[i]).getInt()); };
      metadata.tensorMaps.push_back({at(0), at(1), at(2), at(3)});
    }
    for (Attribute entry : launch.getAs<ArrayAttr>("alignments")) {
      auto at = [&](int i) { return cast<IntegerAttr>(cast<ArrayAttr>(entry)[i]).getInt(); };
      metadata.arguments[at(0)].alignment = at(1);
    }
  }
}

std::optional<Occupancy> gpuOccupancy(ModuleOp module, const runtime::LaunchMetadata &metadata) {
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    if (auto registers = func->getAttrOfType<IntegerAttr>(NVVM::NVVMDialect::getMaxnregAttrName()))
      return occupancyOf(metadata.threads, registers.getInt(), metadata.sharedBytes,
                         warp::findMachine(metadata.target)->sharedMemory);
  return std::nullopt;
}

} // namespace lacuna
