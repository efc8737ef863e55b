#include "DoctorCommand.h"

#include "CacheCommand.h"

#include "lacuna/Compiler/Codegen/Assembler.h"
#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/Knobs.h"
#include "lacuna/Runtime/ProfilerRange.h"
#include "lacuna/Runtime/ThreadPool.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace lacuna::tools {
namespace {

void line(std::string_view what, std::string_view finding) {
  fmt::print("{:<11} {}\n", what, finding);
}
void absent(std::string_view what, const Error &error, std::string_view meaning) {
  line(what, fmt::format("not found: {}", error.message));
  line("", meaning);
}

/// What kernels for it are generated for, and who assembles them.
std::string describeTarget(const runtime::DeviceInfo &info) {
  auto chosen = chooseTarget(info);
  if (!chosen)
    return info.major < 8 ? "; not supported: kernels are generated for 8.0 and above" : "; " + chosen.error().message;
  return fmt::format("; target {}, assembled {}", targetName(chosen->target),
                     chosen->processor.empty() ? "by the driver: the GPU is newer than this version of Lacuna"
                                               : "for " + chosen->processor);
}

void reportDevices() {
  auto driver = runtime::Driver::get();
  if (!driver) {
    absent("driver", driver.error(), "kernels are compiled for GPUs all the same, and run on the CPU");
    return;
  }
  auto count = runtime::Device::count();
  line("driver", "found");
  if (!count || *count == 0) {
    line("devices", "none; kernels run on the CPU");
    return;
  }
  for (int ordinal = 0; ordinal < *count; ++ordinal) {
    auto device = runtime::Device::open(ordinal);
    if (!device) {
      line("device", fmt::format("{}: {}", ordinal, device.error().message));
      continue;
    }
    const runtime::DeviceInfo &info = device->info();
    line("device", fmt::format("{}: {}, compute capability {}.{}, {} multiprocessors, {} KiB shared memory a block{}",
                               ordinal, info.name, info.major, info.minor, info.multiprocessors,
                               info.sharedBytesPerBlock / 1024, describeTarget(info)));
  }
}

void reportAssembler() {
  auto assembler = Assembler::find();
  if (!assembler) {
    absent("ptxas", assembler.error(),
           assembler.error().code == ErrorCode::Unavailable
               ? "the driver assembles the PTX at load (a quarter of a second a kernel); --emit cubin fails"
               : "no kernel can be compiled for the GPU until this is mended");
    return;
  }
  auto version = assembler->version();
  line("ptxas", fmt::format("{} ({})", assembler->path(), version ? *version : version.error().message));
}

} // namespace

int runDoctorCommand() {
  reportDevices();
  reportAssembler();
  auto disassembler = llvm::sys::findProgramByName("nvdisasm");
  if (!disassembler)
    disassembler = llvm::sys::findProgramByName("nvdisasm", {"/usr/local/cuda/bin"});
  line("nvdisasm", disassembler ? *disassembler : "not found in PATH or in /usr/local/cuda/bin: --emit sass fails");
  void *nvrtc = nullptr;
  for (const char *name : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"})
    if (!nvrtc)
      nvrtc = dlopen(name, RTLD_LAZY);
  line("NVRTC", nvrtc ? "found" : "not found: nothing in this version needs it");
  if (nvrtc)
    dlclose(nvrtc);
  line("NVTX", runtime::profilerRangesBuilt()
                   ? "built in: profilers show compilations, loads and launches as ranges"
                   : "not built in, for nvtx3/nvToolsExt.h was not found: profilers show kernels without ranges");
  line("LLVM", fmt::format("{}, host {} ({})", LLVM_VERSION_STRING, llvm::sys::getHostCPUName().str(),
                           llvm::sys::getDefaultTargetTriple()));
  line("threads", fmt::format("{} for CPU kernels and checks", runtime::ThreadPool().threads()));
  auto knobs = runtime::Knobs::fromEnvironment();
  line("cache", knobs ? describeCache(*knobs) : knobs.error().message);
  fmt::print("\nenvironment:\n");
  for (const runtime::KnobInfo &knob : runtime::knobTable())
    fmt::print("  {:<18} {}\n", knob.environment, knob.help);
  return 0;
}

} // namespace lacuna::tools
