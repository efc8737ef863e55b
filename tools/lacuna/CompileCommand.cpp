#include "CompileCommand.h"

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Jit/Jit.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>

namespace lacuna::tools {

CLI::App *addCompileCommand(CLI::App &app, CompileOptions &options) {
  CLI::App *command = app.add_subcommand("compile", "Compile one kernel of a .tile file");
  command->add_option("FILE", options.file, "the .tile file; - reads standard input")->required();
  command->add_option("--kernel", options.kernel, "the kernel, where the file has several");
  command->add_option("--set", options.params, "P=V: the value of a param (repeatable)")->take_all();
  command->add_option("--hook", options.hooks, "NAME=BODY_OR_NAME: another body for a hook (repeatable)")->take_all();
  command->add_option("--positive", options.positive, "a scalar argument that is greater than zero at every launch")
      ->take_all();
  command->add_option("--target", options.target, "sm_90a or cpu")->capture_default_str();
  command->add_option("--emit", options.emit, fmt::format("stop after a stage and print it: {}", stageNames()));
  command->add_option("-o", options.output, "where to write what --emit asks for (or the cubin); - is standard output");
  command->add_flag("--time", options.time, "print how long each stage took, to standard error");
  command->add_flag("--report", options.report, "print a JSON object: registers, shared memory, spills, stage times");
  command->add_option("--dump", options.dumpDirectory, "write the text of every stage into a directory");
  command->add_option("--override", options.overrides, "STAGE=FILE: put an edited text in place of a stage (repeatable)")
      ->take_all();
  return command;
}

namespace {

int fail(int status, const std::string &message) {
  fmt::print(stderr, "lacuna: {}\n", message);
  return status;
}

/// Mistakes in the call, as against failures of the work.
int statusOf(const Error &error) {
  return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::NotFound ? 2 : 1;
}

/// Splits NAME=VALUE.
Expected<std::pair<std::string, std::string>> splitSetting(const std::string &option, const std::string &text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return makeError(ErrorCode::InvalidArgument, "{} takes NAME=VALUE, got '{}'", option, text);
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Expected<CompileRequest> makeRequest(const CompileOptions &options) {
  CompileRequest request;
  auto target = parseTarget(options.target);
  if (!target)
    return makeError(ErrorCode::InvalidArgument, "--target must be sm_90a or cpu, got '{}'", options.target);
  request.target = *target;
  request.kernel = options.kernel;
  request.dumpDirectory = options.dumpDirectory;
  request.positiveScalars.insert(options.positive.begin(), options.positive.end());
  for (auto [option, texts, settings] : {std::tuple("--set", &options.params, &request.params),
                                         std::tuple("--hook", &options.hooks, &request.hooks)})
    for (const std::string &text : *texts) {
      auto setting = splitSetting(option, text);
      if (!setting)
        return takeError(setting);
      if (!settings->insert(*setting).second)
        return makeError(ErrorCode::InvalidArgument, "{} is given twice for '{}'", option, setting->first);
    }
  if (!options.emit.empty()) {
    request.stopAfter = parseStage(options.emit);
    if (!request.stopAfter)
      return makeError(ErrorCode::InvalidArgument, "--emit must be one of {}; got '{}'", stageNames(), options.emit);
    request.keep.insert(*request.stopAfter);
  }
  for (const std::string &text : options.overrides) {
    auto setting = splitSetting("--override", text);
    if (!setting)
      return takeError(setting);
    auto stage = parseStage(setting->first);
    if (!stage)
      return makeError(ErrorCode::InvalidArgument, "--override takes STAGE=FILE with a stage of {}; got '{}'",
                       stageNames(), setting->first);
    auto content = readTextFile(setting->second);
    if (!content)
      return takeError(content);
    request.overrides[*stage] = std::move(*content);
  }
  if (options.file == "-") {
    request.fileName = "<stdin>";
    request.source.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    request.fileName = options.file;
    auto source = readTextFile(options.file);
    if (!source)
      return takeError(source);
    request.source = std::move(*source);
  }
  return request;
}

std::string reportJson(const CompileResult &result) {
  nlohmann::ordered_json json;
  json["kernel"] = result.metadata.kernel;
  json["target"] = result.metadata.target;
  json["threads"] = result.metadata.threads;
  json["shared_bytes"] = result.metadata.sharedBytes;
  json["assembler"] = result.assembler;
  if (result.report) {
    json["registers"] = result.report->registers;
    json["stack_bytes"] = result.report->stackBytes;
    json["spill_store_bytes"] = result.report->spillStoreBytes;
    json["spill_load_bytes"] = result.report->spillLoadBytes;
    json["advisories"] = result.report->advisories;
  }
  json["ms"] = nlohmann::ordered_json::object();
  for (const StageTime &time : result.times)
    json["ms"][std::string(stageName(time.stage))] = time.milliseconds;
  return json.dump(2);
}

int writeOutput(const std::string &path, const std::string &content) {
  if (path.empty() || path == "-") {
    std::fwrite(content.data(), 1, content.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : fail(1, "cannot write to standard output");
  }
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return file ? 0 : fail(1, fmt::format("cannot write '{}'; check the path and the space left", path));
}

} // namespace

int runCompileCommand(const CompileOptions &options) {
  auto request = makeRequest(options);
  if (!request)
    return fail(2, request.error().render());
  Compiler compiler;
  auto result = compiler.compile(*request);
  if (!result)
    return fail(statusOf(result.error()), result.error().render());
  if (options.time)
    for (const StageTime &time : result->times)
      fmt::print(stderr, "{:<9} {:9.2f} ms\n", stageName(time.stage), time.milliseconds);
  if (result->report && !result->report->isClean())
    for (const std::string &advisory : result->report->advisories)
      fmt::print(stderr, "remark: {}\n", advisory);
  int status = 0;
  if (request->stopAfter)
    status = writeOutput(options.output, result->texts[*request->stopAfter]);
  else if (!options.output.empty())
    status = writeOutput(options.output, result->image);
  if (options.report)
    fmt::print("{}\n", reportJson(*result));
  else if (!request->stopAfter && options.output.empty())
    fmt::print("{}: compiled for {}{}\n", result->metadata.kernel, result->metadata.target,
               request->target == Target::Cpu ? "" : result->isCubin ? ", a cubin" : ", PTX (no assembler found)");
  return status;
}

} // namespace lacuna::tools
