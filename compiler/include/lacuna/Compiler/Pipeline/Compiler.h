// The compiler: one kernel of a .tile text, specialised, to a cubin (or PTX) or to machine code of this CPU.
#pragma once

#include "lacuna/Compiler/Analysis/KernelReport.h"
#include "lacuna/Compiler/Codegen/Assembler.h"
#include "lacuna/Compiler/Pipeline/Stage.h"
#include "lacuna/Runtime/Knobs.h"
#include "lacuna/Runtime/LaunchMetadata.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lacuna {

struct CompileRequest {
  std::string fileName; ///< for messages
  std::string source;   ///< the .tile text
  Target target = Target::Sm90a;
  std::string processor;                     ///< what the cubin is for, "sm_86"; empty: defaultProcessor
  bool driverAssembles = false;              ///< no cubin is made: the driver takes the PTX, as without an assembler
  std::string kernel;                        ///< empty: the only one of the text
  std::map<std::string, std::string> params; ///< name -> value; the others take their defaults
  /// Hook -> another hook, or an expression over its parameters; block list -> a pattern that takes its place.
  std::map<std::string, std::string> hooks;
  std::set<std::string> positiveScalars;  ///< scalar arguments that every launch will pass greater than zero
  bool allScalarsPositive = false;        ///< the same for every float32 scalar argument
  std::optional<Assembler> assembler;     ///< what makes the cubin; nothing: Assembler::find
  std::optional<Stage> stopAfter;         ///< nothing: all stages of the target
  std::set<Stage> keep;                   ///< stages whose text is returned
  std::map<Stage, std::string> overrides; ///< stage -> text that takes the place of its output
  std::string dumpDirectory;              ///< not empty: the text of every stage is written there
  bool lineInfo = false;                  ///< GPU: the code tells which lines of the text it is made from
  /// Asks what a kernel would be, one of many: the environment's dumps, times and reports leave it out.
  bool probe = false;
};

struct StageTime {
  Stage stage;
  double milliseconds;
};

/// Machine code of this CPU with its entry point; keeps the code alive.
struct CpuCode {
  void (*entry)(void **, int32_t, int32_t, int32_t) = nullptr;
  std::shared_ptr<const void> owner;
};

struct CompileResult {
  runtime::LaunchMetadata metadata;
  /// GPU: a cubin, or PTX text where there is no assembler.
  std::string image;
  bool isCubin = false;
  CpuCode cpu;
  std::map<Stage, std::string> texts; ///< of CompileRequest::keep
  std::vector<StageTime> times;       ///< in order; a stage's time is that of making it from the one before
  /// What was chosen and why, and what it must cost. Structure and step come with stage warp.opt, occupancy with llvm.
  KernelReport kernel;
  std::optional<AssemblerReport> report;
  std::string assembler; ///< path of the ptxas used, or empty
};

/// Thread safety: one compilation at a time for each Compiler; different Compilers are independent.
class Compiler {
public:
  /// Takes its settings (docs/seeing.md) from the environment at the first compilation.
  Compiler();
  /// With settings of the caller.
  explicit Compiler(const runtime::Knobs &knobs);
  ~Compiler();
  Compiler(Compiler &&) noexcept;

  /// Errors: ParseError, VerifyError, InvalidArgument, NotFound (the text and its specialisation, with carets);
  /// Unsupported, CompileFailed (a stage refused, with the place in the text); ToolFailed (ptxas); Unavailable
  /// (`stopAfter` asks for a cubin and there is no ptxas; LACUNA_PTXAS names no program; the dump cannot be written);
  /// InvalidArgument for a knob that cannot be read; Internal for a fault of the compiler, and for a crash of it where
  /// LACUNA_RECOVER is 1.
  /// Never an exception.
  Expected<CompileResult> compile(const CompileRequest &request);

private:
  struct State;
  struct Attempt;
  Attempt attempt(const CompileRequest &request, bool watched);
  void explain(CompileRequest &request, Attempt &failed);
  std::unique_ptr<State> state;
};

} // namespace lacuna
