#include "lacuna/Compiler/Pipeline/Seeing.h"

#include "KernelSymbol.h"

#include "lacuna/Compiler/Pipeline/Report.h"
#include "lacuna/Runtime/Log.h"
#include "lacuna/Runtime/Trace.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>

namespace lacuna {

namespace fs = llvm::sys::fs;

/// A new directory: nobody's dump is written over, whoever else dumps the same kernel at the same time.
static Expected<std::string> makeDumpDirectory(const std::string &parent, const std::string &symbol) {
  std::error_code error = fs::create_directories(parent);
  for (int number = 1; !error; ++number) {
    std::string path = fmt::format("{}/{}", parent, symbol);
    if (number > 1)
      path += fmt::format(".{}", number);
    error = fs::create_directory(path, /*IgnoreExisting=*/false);
    if (!error)
      return path;
    if (error == std::errc::file_exists)
      error.clear();
  }
  return makeError(ErrorCode::Unavailable, "LACUNA_DUMP={}: no directory can be made in it: {}", parent,
                   error.message());
}

static Expected<void> readOverrides(const std::string &parent, const std::string &symbol, CompileRequest &request) {
  if (!fs::is_directory(parent))
    return makeError(ErrorCode::InvalidArgument,
                     "LACUNA_OVERRIDE={}: there is no such directory; give one that holds SYMBOL/NN-STAGE, as "
                     "LACUNA_DUMP writes them",
                     parent);
  for (Stage stage : kAllStages) {
    std::string path = fmt::format("{}/{}/{}", parent, symbol, stageFileName(stage));
    if (stage == Stage::Sass || !hasStage(request.target, stage) || !fs::exists(path))
      continue;
    auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!buffer)
      return makeError(ErrorCode::Unavailable, "cannot read {}: {}", path, buffer.getError().message());
    if (request.overrides.emplace(stage, (*buffer)->getBuffer().str()).second)
      runtime::log("compile", runtime::LogLevel::Warn, "{}: stage {} is taken from {} (LACUNA_OVERRIDE)", symbol,
                   stageName(stage), path);
  }
  return {};
}

Expected<CompileRequest> withKnobs(const CompileRequest &request, const runtime::Knobs &knobs) {
  CompileRequest seen = request;
  seen.lineInfo |= knobs.lineInfo != 0;
  const bool dumps = !knobs.dump.empty() && request.dumpDirectory.empty() && !request.probe;
  const bool overrides = !knobs.overrides.empty();
  if (!dumps && !overrides)
    return seen;
  const std::string symbol = symbolOf(request);
  if (overrides)
    if (Expected<void> read = readOverrides(knobs.overrides, symbol, seen); !read)
      return takeError(read);
  if (dumps) {
    auto directory = makeDumpDirectory(knobs.dump, symbol);
    if (!directory)
      return takeError(directory);
    seen.dumpDirectory = std::move(*directory);
  }
  return seen;
}

static void writeReport(const CompileResult &result, const std::string &directory) {
  std::string path = fmt::format("{}/{}.json", directory, result.metadata.symbol);
  std::error_code error = fs::create_directories(directory);
  // Written beside it and renamed, so that a reader finds it whole.
  int file = -1;
  llvm::SmallString<128> temporary;
  if (!error)
    error = fs::createUniqueFile(path + ".%%%%%%", file, temporary);
  if (!error) {
    llvm::raw_fd_ostream stream(file, /*shouldClose=*/true);
    stream << reportJson(result) << '\n';
    stream.close();
    error = stream.error();
    stream.clear_error();
    if (!error)
      error = fs::rename(temporary, path);
    if (error)
      fs::remove(temporary);
  }
  if (error)
    runtime::log("compile", runtime::LogLevel::Warn, "cannot write the report {}: {}", path, error.message());
}

void showResult(const CompileResult &result, const runtime::Knobs &knobs, std::string_view source,
                double milliseconds) {
  if (knobs.time) {
    std::string line;
    for (const StageTime &time : result.times) {
      line += fmt::format("{}{} {:.2f}", line.empty() ? "" : ", ", stageName(time.stage), time.milliseconds);
      milliseconds += source.empty() ? time.milliseconds : 0;
    }
    if (!source.empty())
      line = fmt::format("from {}", source);
    line = fmt::format("lacuna: time: {}: {}; {:.2f} ms\n", result.metadata.symbol, line, milliseconds);
    std::fwrite(line.data(), 1, line.size(), stderr); // One write, whichever threads compile.
  }
  if (!knobs.report.empty() && !result.metadata.symbol.empty())
    writeReport(result, knobs.report);
}

std::string describeRequest(const CompileRequest &request) {
  std::string text(request.kernel.empty() ? llvm::sys::path::stem(request.fileName) : llvm::StringRef(request.kernel));
  for (const auto *chosen : {&request.params, &request.hooks})
    for (const auto &[name, value] : *chosen)
      text += fmt::format(" {}={}", name, value);
  return text;
}

std::string spanDetail(const CompileRequest &request) {
  return runtime::spansHeard() ? describeRequest(request) : std::string();
}

std::string lineFileName(const std::string &fileName) {
  llvm::SmallString<128> path(fileName);
  return fs::is_regular_file(path) && !fs::make_absolute(path) ? std::string(path) : fileName;
}

} // namespace lacuna
