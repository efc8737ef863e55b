// What each stage does.
#include "KernelSymbol.h"
#include "MetadataBuilder.h"
#include "PassWatch.h"
#include "StageRunner.h"
#include "UseOrder.h"

#include "lacuna/Compiler/Analysis/StepCost.h"
#include "lacuna/Compiler/Codegen/CpuJit.h"
#include "lacuna/Compiler/Codegen/LineTable.h"
#include "lacuna/Compiler/Conversion/TileToCpu.h"
#include "lacuna/Compiler/Conversion/TileToWarp.h"
#include "lacuna/Compiler/Conversion/WarpToLLVM.h"
#include "lacuna/Compiler/Frontend/IRGen.h"
#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Dialect/Tile/Transforms/Passes.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"
#include "lacuna/Runtime/Trace.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SourceMgr.h"

namespace lacuna {

void registerPipelineDialects(mlir::MLIRContext &context) {
  context.loadDialect<tile::TileDialect, warp::WarpDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect, mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect,
                      mlir::cf::ControlFlowDialect>();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Text in, text out
//===--------------------------------------------------------------------------------------------------------------===//

/// What the text of an override is called in messages.
static std::string overrideName(Stage stage) {
  return fmt::format("<override {}>", stageName(stage));
}

Expected<void> StageRunner::withDiagnostics(Stage stage, const std::function<mlir::LogicalResult()> &work) {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(source, request.fileName, /*RequiresNullTerminator=*/false), llvm::SMLoc());
  for (const auto &[overridden, edited] : request.overrides)
    sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBuffer(edited, overrideName(overridden), /*RequiresNullTerminator=*/false),
        llvm::SMLoc());
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::SourceMgrDiagnosticHandler handler(sources, &context, stream);
  if (mlir::succeeded(work()))
    return {};
  if (text.empty())
    return makeError(ErrorCode::Internal, "stage '{}' failed without a diagnostic; this is a bug in Lacuna",
                     stageName(stage));
  return tl::unexpected(Error{ErrorCode::CompileFailed, std::string(llvm::StringRef(text).rtrim())});
}

Expected<void> StageRunner::readModule(Stage stage, const std::string &text) {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, overrideName(stage)), llvm::SMLoc());
  std::string diagnostics;
  llvm::raw_string_ostream stream(diagnostics);
  mlir::SourceMgrDiagnosticHandler handler(sources, &context, stream);
  auto read = mlir::parseSourceFile<mlir::ModuleOp>(sources, mlir::ParserConfig(&context));
  if (!read)
    return tl::unexpected(Error{ErrorCode::ParseError, std::string(llvm::StringRef(diagnostics).rtrim())});
  module = std::move(read);
  return {};
}

Expected<void> StageRunner::readLLVM(Stage stage, const std::string &text) {
  std::string name = overrideName(stage), message;
  llvm::raw_string_ostream stream(message);
  llvm::SMDiagnostic diagnostic;
  auto read = llvm::parseAssembly(llvm::MemoryBufferRef(text, name), diagnostic, *llvmContext);
  if (!read)
    diagnostic.print(/*ProgName=*/nullptr, stream, /*ShowColors=*/false);
  else if (llvm::verifyModule(*read, &stream))
    message = fmt::format("{}: error: this LLVM IR breaks a rule of LLVM: {}", name, message);
  else if (!read->getFunction(result.metadata.symbol))
    message = fmt::format("{}: error: there is no function '{}', which the launch calls", name, result.metadata.symbol);
  if (!message.empty())
    return tl::unexpected(Error{ErrorCode::ParseError, std::string(llvm::StringRef(message).rtrim())});
  llvmModule = std::move(read);
  return {};
}

std::string StageRunner::printModule() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}

std::string StageRunner::printLLVM() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvmModule->print(stream, nullptr);
  return text;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The front end and the dialects
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> StageRunner::parseSource() {
  auto parsed = frontend::parseModule(request.fileName, source);
  if (!parsed)
    return takeError(parsed);
  tree = *parsed;
  return {};
}

Expected<void> StageRunner::generate() {
  auto checked = analyzeRequest(tree, request);
  if (!checked)
    return takeError(checked);
  suffix = symbolSuffix(**checked, request);
  auto generated = frontend::generateTile(**checked, context);
  if (!generated)
    return takeError(generated);
  module = std::move(*generated);
  return {};
}

Expected<void> StageRunner::runPasses(Stage stage, const std::function<void(mlir::OpPassManager &)> &build) {
  return withDiagnostics(stage, [&] {
    mlir::PassManager passes(&context);
    // The scalar code is large: it is verified once, as the last pass leaves it, and again as LLVM IR.
    passes.enableVerifier(stage != Stage::Llvm);
    if (watchesPasses)
      passes.addInstrumentation(watchForFailure(failed));
    if (runtime::spansHeard())
      passes.addInstrumentation(tracePasses());
    build(passes);
    const bool done = mlir::succeeded(passes.run(*module));
    return mlir::success(done && (stage != Stage::Llvm || mlir::succeeded(mlir::verify(*module))));
  });
}

Expected<void> StageRunner::optimizeTile() {
  return runPasses(Stage::TileOpt, [](mlir::OpPassManager &passes) { tile::buildTilePipeline(passes); });
}

Expected<void> StageRunner::describe() {
  auto metadata = describeKernel(*module);
  if (!metadata)
    return takeError(metadata);
  result.metadata = std::move(*metadata);
  result.metadata.target = targetName(request.target);
  result.metadata.symbol = symbolOf(result.metadata.kernel, suffix);
  return {};
}

Expected<void> StageRunner::splitRoles() {
  TileToWarpOptions options;
  options.target = std::string(targetName(request.target));
  return runPasses(Stage::Warp, [&](mlir::OpPassManager &passes) { passes.addPass(createTileToWarp(options)); });
}

Expected<void> StageRunner::optimizeWarp() {
  return runPasses(Stage::WarpOpt, [](mlir::OpPassManager &passes) {
    passes.addPass(mlir::createCanonicalizerPass());
    passes.addPass(mlir::createCSEPass());
    passes.addNestedPass<warp::FuncOp>(warp::createWarpDeferQuadSum());
    passes.addNestedPass<warp::FuncOp>(warp::createWarpOverlapDots());
    passes.addNestedPass<warp::FuncOp>(warp::createWarpOverlapPrograms());
    passes.addNestedPass<warp::FuncOp>(warp::createWarpScaleRows());
    passes.addNestedPass<warp::FuncOp>(warp::createWarpSplitMasked());
    passes.addPass(mlir::createCanonicalizerPass());
    passes.addPass(mlir::createCSEPass());
  });
}

void StageRunner::analyze() {
  result.kernel = {};
  for (auto func : module->getOps<warp::FuncOp>())
    result.kernel = {decisionsOf(func), describeStructure(func), predictStep(func), std::nullopt};
}

Expected<void> StageRunner::lowerToLLVM() {
  bool wide = false;
  if (request.target == Target::Cpu) {
    auto width = CpuTarget::host().hasWideVectors();
    if (!width)
      return takeError(width);
    wide = *width;
    for (auto func : module->getOps<tile::FuncOp>())
      if (func.getScheduleAttr())
        result.kernel.decisions = {"schedule: not applied, its entries act on GPUs"};
  }
  auto lower = [&](mlir::OpPassManager &passes) {
    if (request.target == Target::Cpu) {
      TileToCpuOptions options;
      options.wide = wide;
      return buildCpuPipeline(passes, options);
    }
    passes.addPass(createLowerWarp());
    passes.addPass(mlir::createCSEPass());
    passes.addPass(createThreadToLLVM());
  };
  if (auto done = runPasses(Stage::Llvm, lower); !done)
    return done;
  addGpuLaunch(*module, result.metadata);
  result.kernel.occupancy = gpuOccupancy(*module, result.metadata);
  // What the dialect allows is the target's; one of its GPUs may have less.
  if (const Processor *processor = findProcessor(request.processor);
      processor && result.metadata.sharedBytes > processor->sharedBytesLimit)
    return makeError(ErrorCode::ResourceExhausted,
                     "kernel '{}' needs {} bytes of shared memory, and {} gives a thread block {}; use fewer stages or "
                     "smaller tiles",
                     result.metadata.kernel, result.metadata.sharedBytes, processor->name, processor->sharedBytesLimit);
  llvmContext = std::make_unique<llvm::LLVMContext>();
  if (request.lineInfo && request.target != Target::Cpu)
    attachLineTable(*module, lineFileName(request.fileName));
  auto translated = translateToLLVM(*module, *llvmContext);
  if (!translated)
    return takeError(translated);
  llvmModule = std::move(*translated);
  llvm::Function *kernel = llvmModule->getFunction(result.metadata.kernel);
  if (!kernel)
    return makeError(ErrorCode::ParseError,
                     "the edited stages have no kernel '{}'; the launch is that of stage 'tile.opt', rename it there",
                     result.metadata.kernel);
  kernel->setName(result.metadata.symbol);
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// LLVM and the assembler
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> StageRunner::optimize() {
  sortUses(*llvmModule);
  return request.target == Target::Cpu ? optimizeForCpu(*llvmModule, CpuTarget::host())
                                       : optimizeForGpu(*llvmModule, gpu);
}

Expected<void> StageRunner::generatePtx() {
  sortUses(*llvmModule);
  auto text = emitPtx(*llvmModule, gpu);
  if (!text)
    return takeError(text);
  ptx = std::move(*text);
  return {};
}

Expected<void> StageRunner::assemble() {
  if (request.driverAssembles && request.stopAfter < Stage::Cubin) {
    result.image = ptx;
    return {};
  }
  auto assembler = request.assembler ? Expected<Assembler>(*request.assembler) : Assembler::find();
  if (!assembler) {
    if (assembler.error().code != ErrorCode::Unavailable || request.stopAfter >= Stage::Cubin) {
      assembler.error().code = ErrorCode::Unavailable;
      return takeError(assembler);
    }
    result.image = ptx; // The driver assembles it.
    return {};
  }
  std::string processor(request.processor.empty() ? defaultProcessor(request.target) : request.processor);
  auto cubin = assembler->assemble(ptx, processor, request.lineInfo);
  if (!cubin && cubin.error().code == ErrorCode::Unsupported && request.stopAfter < Stage::Cubin) {
    result.image = ptx; // An assembler older than the GPU: its driver knows it.
    return {};
  }
  if (!cubin)
    return takeError(cubin);
  result.image = std::move(cubin->image);
  result.isCubin = true;
  result.metadata.processor = processor;
  result.report = std::move(cubin->report);
  result.assembler = assembler->path();
  return {};
}

Expected<void> StageRunner::disassemble() {
  auto text = lacuna::disassemble(result.image, request.lineInfo);
  if (!text)
    return takeError(text);
  sass = std::move(*text);
  return {};
}

Expected<void> StageRunner::finishCpu() {
  sortUses(*llvmModule);
  auto jit = CpuJit::create(*llvmModule, CpuTarget::host());
  if (!jit)
    return takeError(jit);
  auto entry = (*jit)->entry(result.metadata.symbol);
  if (!entry)
    return takeError(entry);
  result.times.push_back({Stage::Object, (*jit)->times().emit + (*jit)->times().link});
  result.cpu.entry = *entry;
  result.cpu.owner = std::shared_ptr<const CpuJit>(std::move(*jit));
  return {};
}

} // namespace lacuna
