#include "lacuna/Compiler/Codegen/Assembler.h"

#include "ChildProcess.h"

#include "lacuna/Runtime/Trace.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <optional>

namespace lacuna {

namespace {

using llvm::StringRef;

/// For a child that is only asked something.
constexpr std::chrono::seconds kQuestionLimit(10);

/// A file that is gone when this is.
class TemporaryFile {
public:
  static Expected<TemporaryFile> create(StringRef suffix) {
    llvm::SmallString<128> path;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("lacuna", suffix, path))
      return makeError(ErrorCode::ToolFailed, "cannot create a temporary file: {}. Set TMPDIR to a writable directory",
                       error.message());
    return TemporaryFile(std::string(path));
  }
  TemporaryFile(TemporaryFile &&other) : name(std::exchange(other.name, {})) {}
  ~TemporaryFile() {
    if (!name.empty())
      llvm::sys::fs::remove(name);
  }
  const std::string &path() const { return name; }
  std::string read() const {
    auto buffer = llvm::MemoryBuffer::getFile(name);
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }

private:
  explicit TemporaryFile(std::string name) : name(std::move(name)) {}
  std::string name;
};

/// The number that `pattern` captures in `line`.
int capture(StringRef line, StringRef pattern) {
  llvm::SmallVector<StringRef> groups;
  int value = 0;
  if (llvm::Regex(pattern).match(line, &groups))
    groups[1].getAsInteger(10, value);
  return value;
}

std::optional<std::string> executable(const llvm::Twine &path) {
  std::string text = path.str();
  return llvm::sys::fs::can_execute(text) ? std::optional(text) : std::nullopt;
}

/// ptxas in the Python package nvidia-cuda-nvcc, below one of the usual directories of packages.
std::optional<std::string> findInPythonPackages() {
  auto python = llvm::sys::findProgramByName("python3");
  if (!python)
    return std::nullopt;
  const char *script =
      "import sysconfig, site, os\n"
      "roots = {sysconfig.get_paths()['purelib'], *site.getsitepackages(), site.getusersitepackages()}\n"
      "for r in sorted(roots):\n"
      "  for p in ('cuda_nvcc', 'cu13', 'cu12'):\n"
      "    f = os.path.join(r, 'nvidia', p, 'bin', 'ptxas')\n"
      "    if os.path.exists(f): print(f)\n";
  ChildEnd asked = runChild(*python, {"-c", script}, kQuestionLimit, /*errorsToo=*/false);
  return executable(StringRef(asked.output).split('\n').first);
}

} // namespace

AssemblerReport parseAssemblerLog(std::string_view log) {
  AssemblerReport report;
  llvm::SmallVector<StringRef> lines;
  StringRef(log.data(), log.size()).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    if (line.contains("bytes stack frame")) {
      report.stackBytes += capture(line, "([0-9]+) bytes stack frame");
      report.spillStoreBytes += capture(line, "([0-9]+) bytes spill stores");
      report.spillLoadBytes += capture(line, "([0-9]+) bytes spill loads");
    } else if (line.contains("Used ") && line.contains(" registers")) {
      report.registers = std::max(report.registers, capture(line, "Used ([0-9]+) registers"));
    } else if (line.contains("Potential Performance Loss") || line.contains("setmaxnreg") ||
               (line.contains("wgmma") && !line.contains("error"))) {
      report.advisories.push_back(line.trim().str());
    }
  }
  return report;
}

Expected<Assembler> Assembler::find() {
  if (const char *named = std::getenv("LACUNA_PTXAS"); named && *named) {
    if (auto path = executable(named))
      return Assembler(*path);
    // A name with a slash is a path, which findProgramByName would hand back as it is.
    if (auto path = llvm::sys::findProgramByName(named); path && executable(*path))
      return Assembler(*path);
    return makeError(ErrorCode::NotFound,
                     "LACUNA_PTXAS names '{}', which is no executable program; set it to ptxas's path or unset it",
                     named);
  }
  if (auto path = llvm::sys::findProgramByName("ptxas"))
    return Assembler(*path);
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *home = std::getenv(variable); home && *home)
      if (auto path = executable(llvm::Twine(home) + "/bin/ptxas"))
        return Assembler(*path);
  if (auto path = executable("/usr/local/cuda/bin/ptxas"))
    return Assembler(*path);
  if (auto path = findInPythonPackages())
    return Assembler(*path);
  return makeError(
      ErrorCode::Unavailable,
      "no ptxas found: not in PATH, in CUDA_HOME, in /usr/local/cuda, nor in the Python package "
      "nvidia-cuda-nvcc. Install one of them, or set LACUNA_PTXAS; without it the driver assembles the PTX");
}

Expected<std::string> Assembler::version(std::chrono::milliseconds limit) const {
  ChildEnd end = runChild(program, {"--version"}, limit, /*errorsToo=*/false);
  if (end.kind != ChildEnd::Kind::Exited)
    return makeError(ErrorCode::ToolFailed,
                     "'{} --version' {}; set LACUNA_PTXAS to a ptxas that answers, or mend this one", program,
                     end.describe());
  llvm::SmallVector<StringRef> groups;
  if (end.code != 0 || !llvm::Regex("V([0-9]+\\.[0-9]+\\.[0-9]+)").match(end.output, &groups))
    return makeError(ErrorCode::ToolFailed,
                     "'{} --version' did not say a version (exit status {}): it is not ptxas; set LACUNA_PTXAS to one",
                     program, end.code);
  return groups[1].str();
}

Expected<Cubin> Assembler::assemble(std::string_view ptx, std::string_view processor, bool lineInfo,
                                    std::chrono::seconds limit) const {
  auto input = TemporaryFile::create("ptx"), output = TemporaryFile::create("cubin");
  for (auto *file : {&input, &output})
    if (!*file)
      return takeError(*file);
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input->path(), error);
    stream << StringRef(ptx.data(), ptx.size());
    stream.close();
    if (error || stream.has_error()) {
      stream.clear_error();
      return makeError(ErrorCode::ToolFailed, "cannot write the PTX to {}; is the disk full?", input->path());
    }
  }
  std::string architecture = fmt::format("-arch={}", processor);
  std::vector<std::string> arguments = {architecture, "-v"};
  if (lineInfo)
    arguments.push_back("-lineinfo");
  arguments.insert(arguments.end(), {input->path(), "-o", output->path()});
  runtime::TraceSpan span("ptxas", program);
  ChildEnd end = runChild(program, arguments, limit, /*errorsToo=*/true);
  std::string again = fmt::format("to see it again: lacuna compile … --emit ptx -o kernel.ptx; {} {} -v{} kernel.ptx",
                                  program, architecture, lineInfo ? " -lineinfo" : "");
  if (end.kind != ChildEnd::Kind::Exited)
    return tl::unexpected(
        Error{ErrorCode::ToolFailed,
              fmt::format("{} {}; set LACUNA_PTXAS to another ptxas, or mend this one", program, end.describe()),
              {again}});
  if (!end.succeeded() && llvm::StringRef(end.output).contains("is not defined for option 'gpu-name'"))
    return tl::unexpected(Error{ErrorCode::Unsupported,
                                fmt::format("{} is older than {} and does not know it; install the assembler of a "
                                            "newer CUDA toolkit, or let the driver assemble the PTX",
                                            program, processor),
                                {again}});
  if (!end.succeeded())
    return tl::unexpected(Error{ErrorCode::CompileFailed,
                                fmt::format("{} refused the PTX (exit status {}):\n{}", program, end.code,
                                            llvm::StringRef(end.output).take_front(4000).str()),
                                {again}});
  Cubin cubin{output->read(), parseAssemblerLog(end.output)};
  if (!llvm::StringRef(cubin.image).starts_with("\177ELF"))
    return tl::unexpected(Error{ErrorCode::ToolFailed, fmt::format("{} left no cubin", program), {again}});
  return cubin;
}

Expected<std::string> disassemble(std::string_view cubin, bool lines) {
  auto program = llvm::sys::findProgramByName("nvdisasm");
  if (!program)
    program = llvm::sys::findProgramByName("nvdisasm", {"/usr/local/cuda/bin"});
  if (!program)
    return makeError(ErrorCode::Unavailable,
                     "no nvdisasm found in PATH or in /usr/local/cuda/bin; install the CUDA toolkit's "
                     "disassembler, or ask for another stage");
  auto input = TemporaryFile::create("cubin"), output = TemporaryFile::create("sass");
  for (auto *file : {&input, &output})
    if (!*file)
      return takeError(*file);
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input->path(), error);
    stream << StringRef(cubin.data(), cubin.size());
  }
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(output->path()), StringRef("")};
  llvm::SmallVector<StringRef> arguments = {*program, "-c", input->path()};
  if (lines)
    arguments.push_back("-g");
  int status = llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, redirects, /*SecondsToWait=*/60);
  if (status != 0)
    return makeError(ErrorCode::ToolFailed, "{} failed with exit status {}", *program, status);
  return output->read();
}

} // namespace lacuna
