#include "TuneWorker.h"

#include "lacuna/Autotune/Workload.h"
#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/Tuning.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace lacuna::tools {

namespace {

using Json = nlohmann::ordered_json;

class TuneWorker {
public:
  Expected<Json> answer(const Json &request) {
    std::string op = request.at("op").get<std::string>();
    if (op == "analyze")
      return analyze(request);
    if (op == "compile")
      return compile(request);
    if (op == "open")
      return open(request);
    if (op == "load")
      return load(request);
    if (op == "check")
      return check(request);
    if (op == "time")
      return time(request);
    return makeError(ErrorCode::InvalidArgument, "there is no operation '{}'", op);
  }

private:
  static CompileRequest jobOf(const Json &json) {
    CompileRequest request;
    auto target = parseTarget(json.at("target").get<std::string>()).value_or(Target::Sm90a);
    DeviceTarget{target, json.value("processor", std::string(defaultProcessor(target)))}.applyTo(request);
    request.fileName = json.at("file").get<std::string>();
    request.source = json.at("source").get<std::string>();
    request.kernel = json.at("kernel").get<std::string>();
    request.params = json.at("params").get<std::map<std::string, std::string>>();
    request.hooks = json.at("hooks").get<std::map<std::string, std::string>>();
    request.allScalarsPositive = true;
    request.probe = true;
    return request;
  }

  Expected<Json> analyze(const Json &request) {
    Expected<autotune::Facts> facts = analyzePoint(compiler, jobOf(request));
    if (!facts)
      return takeError(facts);
    return Json{{"shared_bytes", facts->sharedBytes},
                {"registers_needed", facts->registersNeeded},
                {"registers_present", facts->registersPresent},
                {"fraction", facts->predictedFraction},
                {"step_work", facts->stepWork},
                {"bound_by", facts->boundBy}};
  }

  Expected<Json> compile(const Json &request) {
    Expected<CompileResult> compiled = compiler.compile(jobOf(request));
    if (!compiled)
      return takeError(compiled);
    if (std::optional<std::string> rejection = rejectionOf(compiled->report))
      return makeError(ErrorCode::CompileFailed, "{}", *rejection);
    std::string path = request.at("image").get<std::string>();
    std::ofstream file(path, std::ios::binary);
    file.write(compiled->image.data(), static_cast<std::streamsize>(compiled->image.size()));
    file.close();
    if (!file)
      return makeError(ErrorCode::Unavailable, "cannot write {}; is the disk full?", path);
    return Json{{"image", path}, {"metadata", compiled->metadata.toJson()}};
  }

  Expected<Json> open(const Json &request) {
    workload.reset();
    device.reset();
    if (request.at("target") != targetName(Target::Cpu)) {
      Expected<runtime::Device> opened = runtime::Device::open();
      if (!opened)
        return takeError(opened);
      device = std::move(*opened);
    }
    const Json &shape = request.at("shape");
    autotune::WorkloadSpec spec{shape.at("dims").get<std::map<std::string, int64_t>>(),
                                shape.at("pattern").get<std::string>(), request.at("list_columns").get<std::string>()};
    if (!pool)
      pool = std::make_shared<runtime::ThreadPool>();
    auto made = autotune::Workload::create(std::move(spec), device, pool);
    if (!made)
      return takeError(made);
    workload = std::move(*made);
    return Json::object();
  }

  Expected<Json> load(const Json &request) {
    if (!workload)
      return makeError(ErrorCode::InvalidArgument, "'load' comes before 'open'");
    Expected<autotune::LoadedCode> code = device ? loadImage(request.at("artifact")) : compileForCpu(request);
    if (!code)
      return takeError(code);
    if (Expected<void> done = workload->load(request.at("id").get<size_t>(), std::move(*code)); !done)
      return takeError(done);
    return Json::object();
  }

  Expected<autotune::LoadedCode> loadImage(const Json &artifact) {
    Expected<std::string> image = readTextFile(artifact.at("image").get<std::string>());
    if (!image)
      return takeError(image);
    auto metadata = runtime::LaunchMetadata::fromJson(artifact.at("metadata").get<std::string>());
    if (!metadata)
      return takeError(metadata);
    Expected<runtime::Kernel> kernel = runtime::Kernel::load(*device, *image, std::move(*metadata));
    if (!kernel)
      return takeError(kernel);
    return autotune::LoadedCode(std::move(*kernel));
  }

  Expected<autotune::LoadedCode> compileForCpu(const Json &request) {
    Expected<CompileResult> compiled = compiler.compile(jobOf(request));
    if (!compiled)
      return takeError(compiled);
    auto kernel = runtime::CpuKernel::create(compiled->cpu.entry, compiled->metadata, pool, compiled->cpu.owner);
    if (!kernel)
      return takeError(kernel);
    return autotune::LoadedCode(std::move(*kernel));
  }

  Expected<Json> check(const Json &request) {
    if (!workload)
      return makeError(ErrorCode::InvalidArgument, "'check' comes before 'open'");
    if (Expected<void> done = workload->check(request.at("id").get<size_t>()); !done)
      return takeError(done);
    return Json::object();
  }

  Expected<Json> time(const Json &request) {
    if (!workload)
      return makeError(ErrorCode::InvalidArgument, "'time' comes before 'open'");
    Expected<std::vector<double>> times =
        workload->time(request.at("id").get<size_t>(), request.at("launches").get<int>());
    if (!times)
      return takeError(times);
    return Json{{"us", *times}};
  }

  Compiler compiler;
  std::optional<runtime::Device> device;
  std::shared_ptr<runtime::ThreadPool> pool;
  std::unique_ptr<autotune::Workload> workload;
};

} // namespace

int runTuneWorker() {
  TuneWorker worker;
  for (std::string line; std::getline(std::cin, line);) {
    Expected<Json> reply;
    // A request of another form is the asker's fault, and must not end the worker.
    try {
      reply = worker.answer(Json::parse(line));
    } catch (const Json::exception &wrong) {
      reply = makeError(ErrorCode::ParseError, "the request cannot be read: {}", wrong.what());
    }
    if (!reply)
      reply = Json{{"error", errorCodeName(reply.error().code)}, {"message", reply.error().render()}};
    std::string text = reply->dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      return 1;
  }
  return 0;
}

} // namespace lacuna::tools
