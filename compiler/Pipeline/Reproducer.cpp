#include "Reproducer.h"

#include "lacuna/Compiler/Pipeline/Resolve.h"
#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/CacheKey.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace lacuna {

namespace fs = std::filesystem;

/// How many reproducers are kept.
static constexpr size_t kKept = 16;
static constexpr std::string_view kPrefix = "repro-";
static constexpr size_t kDigits = 8; ///< behind the prefix

bool isCompilerFault(const CompileRequest &request, const Error &error, const FailurePoint &point) {
  if (error.code == ErrorCode::Internal || error.code == ErrorCode::ToolFailed)
    return true;
  if (error.code != ErrorCode::CompileFailed || point.stage < Stage::TileOpt)
    return false;
  // A pass that leaves valid IR has refused the kernel, in words that are about the text.
  return point.pass.empty() || point.leftInvalidIr || !request.overrides.empty();
}

Error crashError(const CompileRequest &request, const FailurePoint &point, std::string_view crash) {
  Error error{ErrorCode::Internal,
              fmt::format("the compiler crashed on '{}' for {}, in stage '{}'{}: {}", describeRequest(request),
                          targetName(request.target), stageName(point.stage),
                          point.pass.empty() ? "" : fmt::format(", in {}", point.pass), crash)};
  error.notes.push_back("the process goes on with what the crash has left of it; end it when its work allows");
  return error;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The script
//===--------------------------------------------------------------------------------------------------------------===//

static std::string shellWord(std::string_view text) {
  std::string result = "'";
  for (char c : text)
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// The file of what was given to the stage that failed.
static std::string beforeName(Stage stage) {
  return stage <= Stage::Llvm ? "before.mlir" : stage <= Stage::Ptx ? "before.ll" : "before.ptx";
}

static std::string commandOf(const CompileRequest &request, const Error &error, const FailurePoint &point) {
  std::string call = "LACUNA_REPRODUCERS=off ";
  std::string assembler = "ptxas";
  if (point.stage == Stage::Cubin)
    if (auto found = request.assembler ? Expected<Assembler>(*request.assembler) : Assembler::find()) {
      assembler = shellWord(found->path());
      call += fmt::format("LACUNA_PTXAS={} ", assembler);
    }
  call += fmt::format("lacuna compile kernel.tile --target {}", targetName(request.target));
  if (!request.processor.empty())
    call += fmt::format(" --processor {}", request.processor);
  auto resolved = resolveRequest(request);
  const std::string &kernel = resolved ? resolved->kernel : request.kernel;
  if (!kernel.empty())
    call += " --kernel " + shellWord(kernel);
  for (const auto &[name, value] : request.params)
    call += " --set " + shellWord(name + "=" + value);
  for (const auto &[name, body] : request.hooks)
    call += " --hook " + shellWord(name + "=" + body);
  for (const std::string &scalar : resolved ? resolved->positiveScalars : request.positiveScalars)
    call += " --positive " + shellWord(scalar);
  for (const auto &[stage, text] : request.overrides)
    call += fmt::format(" --override {}={}", stageName(stage), stageFileName(stage));
  if (request.lineInfo)
    call += " --lineinfo";
  if (hasStage(request.target, point.stage) && point.stage != Stage::Object)
    call += fmt::format(" --emit {} -o /dev/null", stageName(point.stage));

  std::string script = "#!/bin/sh\n";
  std::string_view message = error.message;
  for (size_t end = message.find('\n'); !message.empty(); end = message.find('\n')) {
    script += fmt::format("# {}\n", message.substr(0, end));
    message = end == std::string_view::npos ? std::string_view() : message.substr(end + 1);
  }
  script += fmt::format("# Stage: {}\n", stageName(point.stage));
  if (!point.pass.empty() && !point.before.empty())
    script += fmt::format("# The pass alone: lacuna-opt before.mlir --pass-pipeline={}\n", shellWord(point.pass));
  else if (point.stage == Stage::Cubin && !point.before.empty())
    script +=
        fmt::format("# The assembler alone: {} -arch={} -v before.ptx\n", assembler,
                    request.processor.empty() ? defaultProcessor(request.target) : std::string_view(request.processor));
  return script + "cd \"$(dirname \"$0\")\" || exit\n" + call + "\n";
}

//===--------------------------------------------------------------------------------------------------------------===//
// The directory
//===--------------------------------------------------------------------------------------------------------------===//

/// Empty: none are wanted.
static Expected<std::string> chooseDirectory(const runtime::Knobs &knobs) {
  if (knobs.reproducers == "off")
    return std::string();
  if (!knobs.reproducers.empty())
    return knobs.reproducers;
  auto mode = runtime::cacheModeOf(knobs);
  if (!mode || *mode != runtime::CacheMode::Disk)
    return std::string();
  auto cache = runtime::chooseCacheDirectory(knobs);
  if (!cache)
    return takeError(cache);
  auto opened = runtime::openCacheDirectory(*cache);
  if (!opened)
    return takeError(opened);
  ::close(*opened);
  return *cache + "/reproducers";
}

/// Whether a name is that of a reproducer: the directory may be a user's, with folders of his own.
static bool isReproducer(std::string_view name) {
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

/// Those written longest ago go.
static void prune(const std::string &directory) {
  std::error_code ignored;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  for (const auto &entry : fs::directory_iterator(directory, ignored))
    if (isReproducer(entry.path().filename().string()))
      found.emplace_back(fs::last_write_time(entry.path(), ignored), entry.path());
  std::sort(found.begin(), found.end(), std::greater());
  for (size_t index = kKept; index < found.size(); ++index)
    fs::remove_all(found[index].second, ignored);
}

/// Written beside its place and renamed, so that two that fail alike do not mix.
static bool writeAll(const std::string &path, const std::map<std::string, std::string> &files) {
  std::string temporary = path + ".XXXXXX";
  if (!::mkdtemp(temporary.data()))
    return false;
  std::error_code error;
  for (const auto &[name, text] : files) {
    std::ofstream file(temporary + "/" + name, std::ios::binary);
    file << text;
    file.close();
    if (!file)
      error = std::make_error_code(std::errc::io_error);
  }
  if (!error) {
    fs::remove_all(path, error);
    fs::rename(temporary, path, error);
  }
  std::error_code ignored;
  if (error)
    fs::remove_all(temporary, ignored);
  return !error;
}

void writeReproducer(const CompileRequest &request, Error &error, const FailurePoint &point,
                     const runtime::Knobs &knobs) {
  auto directory = chooseDirectory(knobs);
  if (directory && directory->empty())
    return;
  std::map<std::string, std::string> files = {{"kernel.tile", request.source}};
  if (!point.before.empty())
    files.emplace(beforeName(point.stage), point.before);
  for (const auto &[stage, text] : request.overrides)
    files.emplace(stageFileName(stage), text);
  // Not of the message, which may name temporary files: the same failure has the same place.
  const std::string digits = runtime::CacheKeyBuilder()
                                 .text("request", describeRequest(request))
                                 .text("target", targetName(request.target))
                                 .text("stage", stageName(point.stage))
                                 .table("file", files)
                                 .finish()
                                 .hex()
                                 .substr(0, kDigits);
  files.emplace("error", error.render() + "\n");
  files.emplace("command", commandOf(request, error, point));
  std::error_code made;
  std::string path = directory ? fmt::format("{}/{}{}", *directory, kPrefix, digits) : "";
  if (directory)
    fs::create_directories(*directory, made);
  if (!directory || made || !writeAll(path, files)) {
    runtime::log("compile", runtime::LogLevel::Warn, "a reproducer of this failure could not be written: {}",
                 !directory ? directory.error().message
                            : fmt::format("{} cannot be made; check its permissions and the space left", path));
    return;
  }
  prune(*directory);
  error.notes.push_back(fmt::format("a reproducer was written; run: sh {}/command", path));
}

} // namespace lacuna
