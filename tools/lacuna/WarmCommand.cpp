#include "WarmCommand.h"

#include "CompileCommand.h"
#include "OptionChecks.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/Warm.h"
#include "lacuna/Runtime/DiskCache.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <climits>
#include <cstdio>

namespace lacuna::tools {

CLI::App *addWarmCommand(CLI::App &app, WarmCommandOptions &options) {
  CLI::App *command = app.add_subcommand("warm", "Compile kernels into the cache ahead, or say what is missing in it");
  command->add_option("KERNEL", options.texts, "a kernel text of the library, or a .tile file");
  command
      ->add_option("--list", options.lists, "a file with a request a line (repeatable); docs/serving.md has its form")
      ->check(refuseEmpty)
      ->take_all();
  command->add_flag("--library", options.library, "every kernel of the library");
  command->add_option("--head-dim", options.headDims, "with --library: head dimensions D, with commas (128)")
      ->delimiter(',')
      ->check(CLI::Range(8, 256));
  command->add_option("--dtype", options.dtypes, "with --library: element types T, with commas (bf16)")
      ->delimiter(',')
      ->check(CLI::IsMember({"bf16", "f16"}));
  command->add_option("--kernel", options.kernel, "the kernel, where the text of KERNEL has several")
      ->check(refuseEmpty);
  command->add_option("--set", options.params, "P=V: the value of a param of KERNEL (repeatable)")->take_all();
  command
      ->add_option("--hook", options.hooks,
                   "NAME=BODY_OR_NAME: another body for a hook of KERNEL, or a pattern for a block list (repeatable)")
      ->take_all();
  command->add_flag("--any-scalars", options.anyScalars,
                    "also the variant of KERNEL for float32 scalars that are not above zero");
  command
      ->add_option(
          "--target", options.target,
          "sm_90a, sm_80 or cpu, of requests that name none; left out: that of the GPU here, LACUNA_TARGET or sm_90a")
      ->check([](const std::string &name) {
        return parseTarget(name) ? "" : fmt::format("it is '{}'; give {}", name, targetNames());
      });
  command
      ->add_option("--processor", options.processor,
                   "for a server with another GPU, of requests for sm_80: what their code is assembled for, " +
                       processorNames(Target::Sm80))
      ->check(refuseEmpty);
  command
      ->add_option("--gpu", options.gpu,
                   "without a GPU here: the name of the one compiled for, for its tuning records (\"NVIDIA H200\")")
      ->check(refuseEmpty);
  command->add_option("-j,--jobs", options.jobs, "compilations side by side; 0: one for each processor")
      ->check(wholeNumber<int>(0, INT_MAX));
  command->add_flag("--check,--dry-run", options.check, "compile nothing; say what is there and what is missing");
  command->add_flag("--json", options.json, "a JSON object a line: each kernel as it is done, then the sums");
  command->footer(
      "On a machine with a GPU every kernel is loaded as well. With LACUNA_JIT=off, what is missing is an\n"
      "error. Exit status: 0 all is there; 1 a kernel failed or is missing; 2 the call or the list is wrong.");
  return command;
}

namespace {

/// What the call asks for. Errors: InvalidArgument; Unavailable for a list that cannot be read.
Expected<std::vector<WarmRequest>> requestsOf(const WarmCommandOptions &options) {
  if (options.texts.empty() && options.lists.empty() && !options.library)
    return makeError(ErrorCode::InvalidArgument, "there is nothing to warm: give KERNEL, --list FILE or --library");
  if (!options.processor.empty() && !runsOn(Target::Sm80, options.processor))
    return makeError(ErrorCode::InvalidArgument,
                     "--processor is '{}', which does not run code for sm_80; give one of {}", options.processor,
                     processorNames(Target::Sm80));
  if (!options.processor.empty() && !options.target.empty() && options.target != targetName(Target::Sm80))
    return makeError(ErrorCode::InvalidArgument,
                     "--processor {} is for code of sm_80, and --target is {}; leave one of them out",
                     options.processor, options.target);
  if (!options.library && !(options.headDims.empty() && options.dtypes.empty()))
    return makeError(ErrorCode::InvalidArgument, "--head-dim and --dtype go with --library; give --set D=… for KERNEL");
  if (options.texts.empty() &&
      !(options.params.empty() && options.hooks.empty() && options.kernel.empty() && !options.anyScalars))
    return makeError(ErrorCode::InvalidArgument, "--set, --hook, --kernel and --any-scalars go with KERNEL; a list has "
                                                 "params and hooks in its lines");
  std::vector<WarmRequest> requests;
  if (options.library)
    requests = libraryRequests(options.headDims, options.dtypes);
  for (const std::string &path : options.lists) {
    auto text = readTextFile(path);
    if (!text)
      return makeError(ErrorCode::Unavailable, "{}", text.error().message);
    auto list = parseWarmList(path, *text);
    if (!list)
      return takeError(list);
    requests.insert(requests.end(), list->begin(), list->end());
  }
  for (const std::string &text : options.texts) {
    CompileRequest settings;
    if (auto read = readSettings(options.params, options.hooks, settings); !read)
      return takeError(read);
    WarmRequest warm;
    (text.ends_with(".tile") ? warm.spec.file : warm.spec.library) = text;
    warm.spec.kernel = options.kernel;
    warm.spec.params = std::move(settings.params);
    warm.spec.hooks = std::move(settings.hooks);
    warm.anyScalars = options.anyScalars;
    requests.push_back(std::move(warm));
  }
  return requests;
}

/// The target of requests that name none. Errors: as chooseTarget, but for a GPU that is not supported.
Expected<Target> presetTarget(const WarmCommandOptions &options) {
  if (!options.target.empty())
    return *parseTarget(options.target);
  if (!options.processor.empty())
    return Target::Sm80;
  auto device = runtime::Device::open();
  if (!device)
    return targetOfEnvironment().map([](std::optional<Target> asked) { return asked.value_or(Target::Sm90a); });
  auto chosen = chooseTarget(device->info());
  if (!chosen && chosen.error().code != ErrorCode::Unsupported)
    return takeError(chosen);
  return chosen ? chosen->target : Target::Sm90a;
}

/// The compiler for a target: for this machine's GPU where there is one that runs it.
Jit jitFor(Target target, const WarmCommandOptions &options) {
  if (target == Target::Cpu)
    return Jit::forCpu();
  if (target == Target::Sm80 && !options.processor.empty())
    return Jit::ahead(options.gpu, target, options.processor);
  if (auto device = runtime::Device::open())
    if (auto jit = Jit::forDevice(*device, target))
      return *jit;
  return Jit::ahead(options.gpu, target); // A GPU of another kind is as good as none.
}

std::string jsonOf(const WarmedKernel &kernel, Target target) {
  const KernelSpec &spec = kernel.request.spec;
  nlohmann::json object = {{"kernel", kernel.title.substr(0, kernel.title.find(" ("))},
                           {"text", spec.library.empty() ? spec.file : spec.library},
                           {"params", spec.params},
                           {"hooks", spec.hooks},
                           {"target", targetName(kernel.request.target.value_or(target))},
                           {"state", warmStateName(kernel.state)},
                           {"ms", kernel.milliseconds}};
  if (!kernel.request.place.empty())
    object["place"] = kernel.request.place;
  if (kernel.error)
    object["error"] = kernel.error->render();
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void printKernel(const WarmedKernel &kernel, Target target, bool json) {
  if (json)
    fmt::print("{}\n", jsonOf(kernel, target));
  else
    fmt::print("{:<10} {:9.2f} ms  {}\n", warmStateName(kernel.state), kernel.milliseconds, kernel.title);
  std::fflush(stdout);
  if (kernel.error && !json)
    fmt::print(stderr, "lacuna: {}{}{}\n", kernel.request.place, kernel.request.place.empty() ? "" : ": ",
               kernel.error->render());
}

/// Sums over all targets.
struct Sums {
  size_t cached = 0, compiled = 0, missing = 0, failed = 0;
  uint64_t unstored = 0;
  double milliseconds = 0;

  void add(const WarmReport &report) {
    cached += report.count(WarmState::Cached), compiled += report.count(WarmState::Compiled);
    missing += report.count(WarmState::Missing), failed += report.count(WarmState::Failed);
    milliseconds += report.milliseconds;
  }
  void print(bool json) const {
    if (json)
      fmt::print("{}\n", nlohmann::json({{"in cache", cached},
                                         {"compiled", compiled},
                                         {"missing", missing},
                                         {"failed", failed},
                                         {"unstored", unstored},
                                         {"ms", milliseconds}})
                             .dump());
    else
      fmt::print("{} kernels: {} in cache, {} compiled, {} missing, {} failed; {:.1f} ms\n",
                 cached + compiled + missing + failed, cached, compiled, missing, failed, milliseconds);
  }
};

/// Warms the requests of one target. Errors: what makes the call wrong, or the cache of no use.
Expected<void> warmTarget(Target target, std::span<const WarmRequest> requests, const WarmCommandOptions &options,
                          Sums &sums) {
  const Jit jit = jitFor(target, options);
  if (auto allowed = jit.mayCompile(); !allowed)
    return takeError(allowed);
  const runtime::DiskCache *cache = target == Target::Cpu ? nullptr : jit.cache();
  if (isGpu(target) && !cache)
    return makeError(ErrorCode::Unavailable,
                     "there is no cache on disk to warm; `lacuna doctor` says why (LACUNA_CACHE "
                     "must be disk, LACUNA_CACHE_DIR a directory of this user's, and neither LACUNA_DUMP nor "
                     "LACUNA_OVERRIDE may be set)");
  if (auto sound = checkWarmRequests(jit, requests); !sound)
    return sound;
  WarmOptions how{options.jobs, options.check,
                  [&](const WarmedKernel &kernel) { printKernel(kernel, target, options.json); }};
  sums.add(jit.warm(requests, how));
  sums.unstored += cache ? cache->stats().storeFailures : 0;
  return {};
}

} // namespace

int runWarmCommand(const WarmCommandOptions &options) {
  auto requests = requestsOf(options);
  if (!requests)
    return failCommand(requests.error());
  auto preset = presetTarget(options);
  if (!preset)
    return failCommand(preset.error());
  Sums sums;
  for (Target target : {Target::Sm90a, Target::Sm80, Target::Cpu}) {
    std::vector<WarmRequest> own;
    for (const WarmRequest &request : *requests)
      if (request.target.value_or(*preset) == target)
        own.push_back(request);
    if (own.empty())
      continue;
    if (auto done = warmTarget(target, own, options, sums); !done)
      return failCommand(done.error());
  }
  sums.print(options.json);
  if (sums.unstored > 0)
    fmt::print(stderr, "lacuna: {} of them could not be stored in the cache, and are lost with this process\n",
               sums.unstored);
  return sums.missing + sums.failed + sums.unstored > 0 ? 1 : 0;
}

} // namespace lacuna::tools
