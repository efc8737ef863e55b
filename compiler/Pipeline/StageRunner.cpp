// The table of stages, and what happens around each one.
#include "StageRunner.h"

#include "lacuna/Compiler/Frontend/AstPrinter.h"
#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Runtime/Trace.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

namespace lacuna {

std::vector<StageRunner::Row> StageRunner::table() {
  auto readIr = [this](Stage stage) {
    return [this, stage](const std::string &text) { return readModule(stage, text); };
  };
  auto readLl = [this](Stage stage) {
    return [this, stage](const std::string &text) { return readLLVM(stage, text); };
  };
  auto printIr = [this] { return printModule(); };
  auto printLl = [this] { return printLLVM(); };
  auto reparse = [this](const std::string &text) {
    source = text;
    return parseSource();
  };
  auto nothing = [] { return Expected<void>(); };
  std::vector<Row> rows = {
      {Stage::Source, nothing, [this] { return source; },
       [this](const std::string &text) -> Expected<void> {
         source = text;
         return {};
       }},
      {Stage::Ast, [this] { return parseSource(); }, [this] { return frontend::printModule(*tree); }, reparse},
      {Stage::Tile, [this] { return generate(); }, printIr, readIr(Stage::Tile)},
      {Stage::TileOpt, [this] { return optimizeTile(); }, printIr, readIr(Stage::TileOpt)},
      {Stage::Warp, [this] { return splitRoles(); }, printIr, readIr(Stage::Warp)},
      {Stage::WarpOpt, [this] { return optimizeWarp(); }, printIr, readIr(Stage::WarpOpt)},
      {Stage::Llvm, [this] { return lowerToLLVM(); }, printLl, readLl(Stage::Llvm)},
      {Stage::LlvmOpt, [this] { return optimize(); }, printLl, readLl(Stage::LlvmOpt)},
      {Stage::Ptx, [this] { return generatePtx(); }, [this] { return ptx; },
       [this](const std::string &text) -> Expected<void> {
         ptx = text;
         return {};
       }},
      {Stage::Cubin, [this] { return assemble(); }, [this] { return result.image; },
       [this](const std::string &text) -> Expected<void> {
         result.image = text;
         result.isCubin = true;
         return {};
       }},
      {Stage::Sass, [this] { return disassemble(); }, [this] { return sass; }, nullptr},
  };
  llvm::erase_if(rows, [&](const Row &row) { return !hasStage(request.target, row.stage); });
  return rows;
}

Expected<void> StageRunner::readOverride(const Row &row, const std::string &text) {
  bool isElf = llvm::StringRef(text).starts_with("\177ELF");
  if (row.stage == Stage::Cubin && !isElf)
    return makeError(ErrorCode::ParseError,
                     "the override of stage 'cubin' is no cubin: it does not begin as an ELF file does");
  if (row.stage != Stage::Cubin && text.find('\0') != std::string::npos)
    return makeError(ErrorCode::ParseError, "the override of stage '{}' is no text: it has a zero byte at offset {}",
                     stageName(row.stage), text.find('\0'));
  return row.read(text);
}

Expected<void> StageRunner::runRow(const Row &row) {
  runtime::TraceSpan span(stageName(row.stage), spanDetail(request));
  auto begin = std::chrono::steady_clock::now();
  auto overridden = request.overrides.find(row.stage);
  Expected<void> made;
  // An overridden cubin needs no assembler; every other stage is made, so that later ones find what it leaves behind.
  if (overridden == request.overrides.end() || row.stage != Stage::Cubin)
    made = row.make();
  if (made && overridden != request.overrides.end())
    made = readOverride(row, overridden->second);
  if (made && (row.stage == Stage::Tile || row.stage == Stage::TileOpt))
    made = describe();
  if (made && row.stage == Stage::WarpOpt)
    analyze();
  if (!made)
    return made;
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  result.times.push_back({row.stage, elapsed.count()});

  if (request.keep.contains(row.stage))
    result.texts[row.stage] = row.print();
  if (!request.dumpDirectory.empty()) {
    std::string path = fmt::format("{}/{}", request.dumpDirectory, stageFileName(row.stage));
    std::error_code error;
    llvm::raw_fd_ostream file(path, error);
    file << row.print();
    file.close();
    if (error || file.has_error()) {
      file.clear_error();
      return makeError(ErrorCode::Unavailable, "cannot write {}: {}", path,
                       error ? error.message() : "is the disk full?");
    }
  }
  return {};
}

Expected<CompileResult> StageRunner::run() {
  source = request.source;
  result.metadata.target = targetName(request.target);
  for (const auto &[stage, text] : request.overrides)
    if (!hasStage(request.target, stage) || stage == Stage::Sass)
      return makeError(ErrorCode::InvalidArgument, "stage '{}' cannot be overridden for target {}", stageName(stage),
                       targetName(request.target));
  if (!request.processor.empty() && !runsOn(request.target, request.processor))
    return makeError(ErrorCode::InvalidArgument, "'{}' does not run code for {}", request.processor,
                     targetName(request.target));
  std::optional<Stage> last = request.stopAfter;
  if (last && !hasStage(request.target, *last))
    return makeError(ErrorCode::InvalidArgument, "target {} has no stage '{}'", targetName(request.target),
                     stageName(*last));
  if (!request.dumpDirectory.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(request.dumpDirectory))
      return makeError(ErrorCode::Unavailable,
                       "cannot make the directory '{}' for the stages: {}; give one that can be written",
                       request.dumpDirectory, error.message());
  for (const Row &row : table()) {
    if (row.stage == Stage::Sass && last != Stage::Sass)
      continue; // Made only on request.
    failed.stage = row.stage;
    if (watchesPasses && row.stage > Stage::Llvm && row.stage < Stage::Cubin)
      failed.before = printLLVM();
    if (Expected<void> done = runRow(row); !done) {
      if (row.stage == Stage::Cubin)
        failed.before = ptx;
      else if (row.stage > Stage::Llvm && llvmModule)
        failed.before = printLLVM();
      return takeError(done);
    }
    if (last == row.stage)
      return std::move(result);
  }
  if (request.target == Target::Cpu) {
    failed.stage = Stage::Object;
    if (Expected<void> done = finishCpu(); !done)
      return takeError(done);
  }
  return std::move(result);
}

} // namespace lacuna
