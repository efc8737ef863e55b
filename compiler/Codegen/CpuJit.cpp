#include "lacuna/Compiler/Codegen/CpuJit.h"

#include "CpuTarget.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace lacuna {

namespace {

/// One scratch area a thread, as large as the largest kernel that it ran asked for; freed when the thread ends. It
/// outlives the call so that a grid of thousands of programs does not map and clear the memory for each of them.
class Scratch {
public:
  ~Scratch() { std::free(memory); }

  void *get(size_t bytes) {
    if (bytes > size) {
      std::free(memory);
      memory = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
      size = bytes;
    }
    if (!memory) {
      std::fprintf(stderr, "lacuna: a CPU kernel needs %zu bytes of scratch memory, and there are none\n", bytes);
      std::abort();
    }
    return memory;
  }

private:
  static constexpr size_t kAlignment = 4096;
  void *memory = nullptr;
  size_t size = 0;
};

/// What generated code calls as `lacuna_cpu_scratch` (TileToCpu). It runs below frames that cannot unwind, and there is
/// no result that a kernel could go on with, so that a lack of memory ends the process.
void *scratchOfThread(int64_t bytes) {
  thread_local Scratch scratch;
  return scratch.get(static_cast<size_t>(bytes));
}

Error fromLLVM(llvm::Error error, std::string_view what) {
  return {ErrorCode::CompileFailed, fmt::format("{}: {}", what, llvm::toString(std::move(error)))};
}

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

Expected<std::unique_ptr<llvm::MemoryBuffer>> emitObject(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    return makeError(ErrorCode::Internal, "LLVM cannot emit an object file for {}", machine.getTargetTriple().str());
  passes.run(module);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), /*RequiresNullTerminator=*/false);
}

/// The functions that generated code may call: the scratch area, what LLVM makes of loops that copy or fill, and what
/// it calls for instructions that an old CPU lacks (FMA, half precision). Nothing else of this process is visible to
/// it.
llvm::orc::SymbolMap hostFunctions(llvm::orc::LLJIT &jit) {
  auto symbol = [](auto *function) {
    return llvm::orc::ExecutorSymbolDef(llvm::orc::ExecutorAddr::fromPtr(function),
                                        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable);
  };
  llvm::orc::SymbolMap map;
  map[jit.mangleAndIntern("lacuna_cpu_scratch")] = symbol(&scratchOfThread);
  map[jit.mangleAndIntern("memcpy")] = symbol(&std::memcpy);
  map[jit.mangleAndIntern("memmove")] = symbol(&std::memmove);
  map[jit.mangleAndIntern("memset")] = symbol(&std::memset);
  map[jit.mangleAndIntern("fmaf")] = symbol(static_cast<float (*)(float, float, float)>(&std::fma));
#ifdef __FLT16_MANT_DIG__
  map[jit.mangleAndIntern("__extendhfsf2")] = symbol(+[](_Float16 value) { return static_cast<float>(value); });
  map[jit.mangleAndIntern("__truncsfhf2")] = symbol(+[](float value) { return static_cast<_Float16>(value); });
#endif
  return map;
}

} // namespace

CpuJit::CpuJit(std::unique_ptr<llvm::orc::LLJIT> jit, Times measured) : jit(std::move(jit)), measured(measured) {}
CpuJit::~CpuJit() = default;

Expected<std::unique_ptr<CpuJit>> CpuJit::create(llvm::Module &module, const CpuTarget &target) {
  auto machine = createCpuMachine(target);
  if (!machine)
    return takeError(machine);
  Times times;
  auto start = std::chrono::steady_clock::now();
  auto object = emitObject(module, **machine);
  if (!object)
    return takeError(object);
  times.emit = milliseconds(start);

  start = std::chrono::steady_clock::now();
  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(llvm::orc::JITTargetMachineBuilder((*machine)->getTargetTriple()))
                 .setLinkProcessSymbolsByDefault(false)
                 .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                 .create();
  if (!jit)
    return tl::unexpected(fromLLVM(jit.takeError(), "the JIT could not be made"));
  // ORC tells the reason to its session and gives the caller only "failed to materialize".
  auto reasons = std::make_shared<std::string>();
  (*jit)->getExecutionSession().setErrorReporter(
      [reasons](llvm::Error error) { *reasons += llvm::toString(std::move(error)) + "; "; });
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  if (auto error = library.define(llvm::orc::absoluteSymbols(hostFunctions(**jit))))
    return tl::unexpected(fromLLVM(std::move(error), "the JIT could not be given its host functions"));
  if (auto error = (*jit)->addObjectFile(std::move(*object)))
    return tl::unexpected(fromLLVM(std::move(error), "the kernel's object file was refused"));
  // Linked here, not at the first look-up: what is missing is reported by create().
  for (const llvm::Function &function : module)
    if (!function.isDeclaration() && function.hasExternalLinkage())
      if (auto address = (*jit)->lookup(function.getName()); !address)
        return tl::unexpected(fromLLVM(address.takeError(), *reasons + "the kernel could not be linked"));
  times.link = milliseconds(start);
  return std::unique_ptr<CpuJit>(new CpuJit(std::move(*jit), times));
}

Expected<runtime::CpuEntry> CpuJit::entry(std::string_view symbol) const {
  auto address = jit->lookup(llvm::StringRef(symbol));
  if (!address) {
    llvm::consumeError(address.takeError());
    return makeError(ErrorCode::NotFound, "the compiled module has no kernel named '{}'", symbol);
  }
  return address->toPtr<runtime::CpuEntry>();
}

} // namespace lacuna
