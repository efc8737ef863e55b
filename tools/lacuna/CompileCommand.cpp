#include "CompileCommand.h"

#include "OptionChecks.h"

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Compiler/Pipeline/Report.h"
#include "lacuna/Jit/Jit.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

namespace lacuna::tools {

CLI::App *addCompileCommand(CLI::App &app, CompileOptions &options) {
  CLI::App *command = app.add_subcommand("compile", "Compile one kernel of a .tile file");
  command->add_option("FILE", options.file, "the .tile file; - reads standard input")->required();
  command->add_option("--kernel", options.kernel, "the kernel, where the file has several")->check(refuseEmpty);
  command->add_option("--set", options.params, "P=V: the value of a param (repeatable)")->take_all();
  command
      ->add_option("--hook", options.hooks,
                   "NAME=BODY_OR_NAME: another body for a hook, or a pattern for a block list (repeatable)")
      ->take_all();
  command->add_option("--positive", options.positive, "a scalar argument that is greater than zero at every launch")
      ->take_all();
  command->add_option("--target", options.target, "sm_90a, sm_80 or cpu")->capture_default_str();
  command
      ->add_option("--processor", options.processor,
                   "what the cubin is assembled for, where several GPUs run the target's code: for sm_80 " +
                       processorNames(Target::Sm80))
      ->check(refuseEmpty);
  command->add_option("--emit", options.emit, fmt::format("stop after a stage and print it: {}", stageNames()))
      ->check(refuseEmpty);
  command->add_option("-o", options.output, "where to write what --emit asks for (or the cubin); - is standard output")
      ->check(refuseEmpty);
  command->add_flag("--time", options.time, "print how long each stage took, to standard error");
  command->add_flag(
      "--report", options.report,
      "print a JSON object to standard output: registers, shared memory, stack, spills, ptxas advisories, what the "
      "compiler decided, the kernel's structure, its occupancy, what bounds it, stage times; what --emit asks for is "
      "then written only with -o FILE");
  command->add_option("--dump", options.dumpDirectory, "write the text of every stage into a directory")
      ->check(refuseEmpty);
  command
      ->add_option("--override", options.overrides, "STAGE=FILE: put an edited text in place of a stage (repeatable)")
      ->take_all();
  addTraceOption(*command);
  command->add_flag("--lineinfo", options.lineInfo,
                    "put the lines of the text into the code, for profilers (LACUNA_LINEINFO)");
  command->footer(
      "Exit status: 0 done; 1 the work failed (an error in the text, a file that cannot be read or written, no\n"
      "assembler); 2 the call is wrong (an option, kernel, param, hook or stage that does not exist, a value\n"
      "outside its domain).");
  return command;
}

namespace {

/// Prints an error. One that begins with a place in a text starts its line with it, so that editors can go there.
int fail(int status, const std::string &message) {
  bool located = message.substr(0, message.find('\n')).find(": error: ") != std::string::npos;
  fmt::print(stderr, "{}{}\n", located ? "" : "lacuna: ", message);
  return status;
}

/// Mistakes in the call, as against failures of the work.
int statusOf(const Error &error) {
  return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::NotFound ? 2 : 1;
}

/// A file that the call names. One that cannot be read is a failure of the work, not a wrong call.
Expected<std::string> readInput(const std::string &path) {
  auto text = readTextFile(path);
  if (!text)
    text.error().code = ErrorCode::Unavailable;
  return text;
}

/// Splits NAME=VALUE.
Expected<std::pair<std::string, std::string>> splitSetting(const std::string &option, const std::string &text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return makeError(ErrorCode::InvalidArgument, "{} takes {}, got '{}'", option,
                     option == "--override" ? "STAGE=FILE" : "NAME=VALUE", text);
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

} // namespace

Expected<void> readSettings(const std::vector<std::string> &params, const std::vector<std::string> &hooks,
                            CompileRequest &request) {
  for (auto [option, texts, settings] :
       {std::tuple("--set", &params, &request.params), std::tuple("--hook", &hooks, &request.hooks)})
    for (const std::string &text : *texts) {
      auto setting = splitSetting(option, text);
      if (!setting)
        return takeError(setting);
      if (!settings->insert(*setting).second)
        return makeError(ErrorCode::InvalidArgument, "{} is given twice for '{}'", option, setting->first);
    }
  return {};
}

Expected<CompileRequest> makeCompileRequest(const CompileOptions &options) {
  CompileRequest request;
  auto target = parseTarget(options.target);
  if (!target)
    return makeError(ErrorCode::InvalidArgument, "--target must be {}, got '{}'", targetNames(), options.target);
  request.target = *target;
  request.processor = options.processor;
  if (!options.processor.empty() && !runsOn(*target, options.processor))
    return makeError(ErrorCode::InvalidArgument, "--processor is '{}', which does not run code for {}{}",
                     options.processor, options.target,
                     isGpu(*target) ? "; give one of " + processorNames(*target) : "");
  if (options.report && options.output == "-")
    return makeError(ErrorCode::InvalidArgument, "--report and -o - both write to standard output; give -o a file");
  if (*target == Target::Cpu && options.emit.empty() && !options.output.empty())
    return makeError(
        ErrorCode::InvalidArgument,
        "-o {} has nothing to write: for the target cpu, code is made in memory only; name a stage with --emit",
        options.output);
  request.kernel = options.kernel;
  request.dumpDirectory = options.dumpDirectory;
  request.lineInfo = options.lineInfo;
  request.positiveScalars.insert(options.positive.begin(), options.positive.end());
  if (auto set = readSettings(options.params, options.hooks, request); !set)
    return takeError(set);
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
    auto content = readInput(setting->second);
    if (!content)
      return takeError(content);
    if (!request.overrides.emplace(*stage, std::move(*content)).second)
      return makeError(ErrorCode::InvalidArgument, "--override is given twice for '{}'", setting->first);
  }
  if (options.file == "-") {
    request.fileName = "<stdin>";
    request.source.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    request.fileName = options.file;
    auto source = readInput(options.file);
    if (!source)
      return takeError(source);
    request.source = std::move(*source);
  }
  return request;
}

int failCommand(const Error &error) {
  return fail(statusOf(error), error.render());
}

namespace {

int writeOutput(const std::string &path, const std::string &content) {
  if (path.empty() || path == "-") {
    std::fwrite(content.data(), 1, content.size(), stdout); // finishOutput asks whether it arrived.
    return 0;
  }
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return file ? 0
              : fail(1, fmt::format("cannot write '{}': {}; check the path and the space left", path,
                                    std::strerror(errno)));
}

} // namespace

int runCompileCommand(const CompileOptions &options) {
  auto request = makeCompileRequest(options);
  if (!request)
    return failCommand(request.error());
  Compiler compiler;
  auto result = compiler.compile(*request);
  if (!result)
    return failCommand(result.error());
  if (options.time)
    for (const StageTime &time : result->times)
      fmt::print(stderr, "{:<9} {:9.2f} ms\n", stageName(time.stage), time.milliseconds);
  if (result->report)
    for (const std::string &advisory : result->report->advisories)
      fmt::print(stderr, "remark: {}\n", advisory);
  bool wholeGpu = isGpu(request->target) && !request->stopAfter;
  if (wholeGpu && !result->isCubin)
    fmt::print(
        stderr,
        "lacuna: warning: no ptxas was found, so this is PTX, which the driver assembles; lacuna doctor says more\n");
  int status = 0;
  if (request->stopAfter && (!options.report || !options.output.empty()))
    status = writeOutput(options.output, result->texts[*request->stopAfter]);
  else if (!request->stopAfter && !options.output.empty())
    status = writeOutput(options.output, result->image);
  if (options.report)
    fmt::print("{}\n", reportJson(*result));
  else if (!request->stopAfter && options.output.empty())
    fmt::print("{}: compiled for {}{}\n", result->metadata.kernel, result->metadata.target,
               request->target == Target::Cpu ? ""
               : result->isCubin              ? ", a cubin"
                                              : ", PTX");
  return status;
}

} // namespace lacuna::tools
