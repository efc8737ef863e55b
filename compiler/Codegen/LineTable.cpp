#include "lacuna/Compiler/Codegen/LineTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <string>

using namespace mlir;

namespace lacuna {

/// The innermost place of `location` in the file `name`.
static FileLineColLoc placeIn(Location location, StringAttr name) {
  if (auto place = dyn_cast<FileLineColLoc>(location))
    return place.getFilename() == name ? place : FileLineColLoc();
  if (auto call = dyn_cast<CallSiteLoc>(location)) {
    FileLineColLoc callee = placeIn(call.getCallee(), name);
    return callee ? callee : placeIn(call.getCaller(), name);
  }
  if (auto named = dyn_cast<NameLoc>(location))
    return placeIn(named.getChildLoc(), name);
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (FileLineColLoc place = placeIn(part, name))
        return place;
  return {};
}

static void attachTo(LLVM::LLVMFuncOp function, LLVM::DICompileUnitAttr unit, FileLineColLoc place) {
  MLIRContext *context = function.getContext();
  auto type = LLVM::DISubroutineTypeAttr::get(context, llvm::dwarf::DW_CC_normal, {});
  auto flags = LLVM::DISubprogramFlags::Definition | LLVM::DISubprogramFlags::Optimized;
  auto id = DistinctAttr::create(UnitAttr::get(context));
  auto subprogram = LLVM::DISubprogramAttr::get(context, id, unit, unit.getFile(), function.getNameAttr(), StringAttr(),
                                                unit.getFile(), place.getLine(), place.getLine(), flags, type);
  function.walk([&](Operation *op) {
    FileLineColLoc line = placeIn(op->getLoc(), place.getFilename());
    op->setLoc(line ? Location(line) : UnknownLoc::get(context));
  });
  function->setLoc(FusedLoc::get(context, {place}, subprogram));
}

void attachLineTable(ModuleOp module, llvm::StringRef fileName) {
  MLIRContext *context = module.getContext();
  std::string name = fileName.str();
  std::replace(name.begin(), name.end(), '"', '\''); // ptxas takes it for the name's end, escaped or not.
  auto file = LLVM::DIFileAttr::get(context, llvm::sys::path::filename(name), llvm::sys::path::parent_path(name));
  auto unit = LLVM::DICompileUnitAttr::get(DistinctAttr::create(UnitAttr::get(context)), llvm::dwarf::DW_LANG_C, file,
                                           StringAttr::get(context, "lacuna"), /*isOptimized=*/true,
                                           LLVM::DIEmissionKind::DebugDirectivesOnly);
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      if (auto place = function.getLoc()->findInstanceOf<FileLineColLoc>())
        attachTo(function, unit, place);
}

} // namespace lacuna
