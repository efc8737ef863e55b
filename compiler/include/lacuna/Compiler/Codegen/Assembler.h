// ptxas as a child process: from PTX text to a cubin, and what it says about it.
#pragma once

#include "lacuna/Runtime/Error.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna {

/// What ptxas reports of a kernel (-v). Bytes and registers a thread.
struct AssemblerReport {
  int registers = 0, stackBytes = 0, spillStoreBytes = 0, spillLoadBytes = 0;
  /// Remarks that cost speed: serialised wgmma, ignored setmaxnreg, injected waits. In ptxas's own words.
  std::vector<std::string> advisories;

  /// No spill, no stack, no advisory.
  bool isClean() const { return stackBytes == 0 && spillStoreBytes == 0 && spillLoadBytes == 0 && advisories.empty(); }
};

struct Cubin {
  std::string image;
  AssemblerReport report;
};

/// Reads the output of `ptxas -v`. Lines it does not know are ignored.
AssemblerReport parseAssemblerLog(std::string_view log);

/// The SASS of a cubin, by nvdisasm (in PATH or in /usr/local/cuda/bin), with the lines that it holds where `lines`
/// asks for them. Errors: Unavailable, ToolFailed.
Expected<std::string> disassemble(std::string_view cubin, bool lines = false);

class Assembler {
public:
  /// Looks for ptxas: `LACUNA_PTXAS`, then PATH, the CUDA toolkit (CUDA_HOME, /usr/local/cuda), the Python package
  /// nvidia-cuda-nvcc. Errors: Unavailable with where it was looked for; NotFound if LACUNA_PTXAS names no program.
  static Expected<Assembler> find();

  const std::string &path() const { return program; }
  /// The release it says it is, e.g. "13.0.88". Errors: ToolFailed, where it cannot be run, does not end in time,
  /// crashes, or says none.
  Expected<std::string> version(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
  /// Assembles for `processor` (sm_90a), with the lines that the PTX names where `lineInfo` asks for them. Errors:
  /// ToolFailed where it cannot be run, crashes, does not end in time or within 1 MiB of messages and 64 MiB of cubin;
  /// CompileFailed where it refuses the PTX; Unsupported where it does not know `processor`. All say how to run it
  /// again by hand.
  Expected<Cubin> assemble(std::string_view ptx, std::string_view processor, bool lineInfo = false,
                           std::chrono::seconds limit = std::chrono::seconds(60)) const;

private:
  explicit Assembler(std::string program) : program(std::move(program)) {}
  std::string program;
};

} // namespace lacuna
