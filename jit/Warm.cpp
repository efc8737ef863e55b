#include "lacuna/Jit/Warm.h"

#include "Refusal.h"

#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Runtime/StartThreads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

namespace lacuna {

std::string_view warmStateName(WarmState state) {
  constexpr std::string_view kNames[] = {"in cache", "compiled", "missing", "failed"};
  return kNames[static_cast<int>(state)];
}

size_t WarmReport::count(WarmState state) const {
  return static_cast<size_t>(
      std::count_if(kernels.begin(), kernels.end(), [&](const WarmedKernel &kernel) { return kernel.state == state; }));
}

Expected<void> WarmReport::check() const {
  std::optional<Error> first;
  for (const WarmedKernel &kernel : kernels) {
    if (!kernel.error)
      continue;
    const std::string &place = kernel.request.place;
    if (!first) {
      first = *kernel.error;
      if (first->location.empty())
        first->location = place;
    } else {
      first->notes.push_back(place.empty() ? kernel.error->message
                                           : fmt::format("{}: {}", place, kernel.error->message));
    }
  }
  return first ? tl::unexpected(std::move(*first)) : Expected<void>();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Warming
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// What a request is called before its text was read.
std::string nameOf(const KernelSpec &spec) {
  return !spec.kernel.empty() ? spec.kernel : !spec.library.empty() ? spec.library : spec.file;
}

void fail(WarmedKernel &warmed, WarmState state, Error error) {
  warmed.state = state;
  warmed.error = std::move(error);
}

/// Looks for the kernel and its variant. Returns whether all is there; else `warmed` says what is not.
bool look(const Jit &jit, WarmedKernel &warmed) {
  for (bool anyScalars : {false, true}) {
    if (anyScalars && !warmed.request.anyScalars)
      break;
    auto answer = jit.find(warmed.request.spec, anyScalars);
    if (!answer) {
      fail(warmed, WarmState::Failed, std::move(answer.error()));
      return false;
    }
    warmed.title = answer->kernel;
    if (!answer->compilation) {
      fail(warmed, WarmState::Missing, std::move(*answer->missing));
      return false;
    }
  }
  warmed.state = WarmState::Cached;
  return true;
}

void load(const Jit &jit, WarmedKernel &warmed) {
  auto kernel = jit.compile(warmed.request.spec);
  if (!kernel)
    return fail(warmed, WarmState::Failed, std::move(kernel.error()));
  warmed.title = kernel->metadata().kernel;
  bool compiled = kernel->source() == CacheSource::None;
  if (warmed.request.anyScalars) {
    auto source = kernel->loadForAnyScalars();
    if (!source)
      return fail(warmed, WarmState::Failed, std::move(source.error()));
    compiled |= *source == CacheSource::None;
  }
  warmed.state = compiled ? WarmState::Compiled : WarmState::Cached;
  warmed.kernel = std::move(*kernel);
}

void warmOne(const Jit &jit, WarmedKernel &warmed, bool onlyLook) {
  const auto start = Clock::now();
  const KernelSpec &spec = warmed.request.spec;
  warmed.title = nameOf(spec);
  // Where nothing may be compiled, what is missing is told apart from what fails.
  const bool looks = onlyLook || !jit.mayCompile().value_or(true);
  if ((!looks || look(jit, warmed)) && !onlyLook)
    load(jit, warmed);
  warmed.title = titleOf(warmed.title, spec.params, spec.hooks);
  warmed.milliseconds = millisecondsSince(start);
}

} // namespace

WarmReport Jit::warm(std::span<const WarmRequest> requests) const {
  return warm(requests, {});
}

WarmReport Jit::warm(std::span<const WarmRequest> requests, const WarmOptions &options) const {
  const auto start = Clock::now();
  WarmReport report;
  for (const WarmRequest &request : requests)
    if (request.target.value_or(target()) == target())
      report.kernels.push_back({request, ""});
  std::atomic<size_t> next = 0;
  std::mutex telling;
  std::exception_ptr thrown; // by a function of the caller's, in whatever thread
  auto work = [&] {
    try {
      for (size_t index = next++; index < report.kernels.size(); index = next++) {
        warmOne(*this, report.kernels[index], options.onlyLook);
        std::lock_guard lock(telling);
        if (options.progress && !thrown)
          options.progress(report.kernels[index]);
      }
    } catch (...) {
      next = report.kernels.size();
      std::lock_guard lock(telling);
      thrown = std::current_exception();
    }
  };
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const size_t wanted = options.jobs > 0 ? std::min<size_t>(static_cast<size_t>(options.jobs), processors) : processors;
  std::vector<std::thread> helpers =
      runtime::startThreads(std::min(wanted, std::max<size_t>(1, report.kernels.size())) - 1, work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  if (thrown)
    std::rethrow_exception(thrown);
  report.milliseconds = millisecondsSince(start);
  return report;
}

//===--------------------------------------------------------------------------------------------------------------===//
// What to warm
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> checkWarmRequests(const Jit &jit, std::span<const WarmRequest> requests) {
  std::vector<Error> errors;
  for (const WarmRequest &request : requests)
    if (request.target.value_or(jit.target()) == jit.target())
      if (auto answer = jit.find(request.spec); !answer) {
        Error error = std::move(answer.error());
        if (!request.place.empty())
          error.message = fmt::format("{}: {}", request.place, error.message);
        errors.push_back(std::move(error));
      }
  if (errors.empty())
    return {};
  if (errors.size() == 1)
    return tl::unexpected(std::move(errors.front()));
  std::string all;
  for (const Error &error : errors)
    all += (all.empty() ? "" : "\n") + error.render();
  return tl::unexpected(Error{ErrorCode::InvalidArgument, std::move(all)});
}

std::vector<WarmRequest> libraryRequests(std::span<const int64_t> headDims, std::span<const std::string> dtypes) {
  std::vector<std::string> dims, types(dtypes.begin(), dtypes.end());
  for (int64_t headDim : headDims)
    dims.push_back(fmt::format("{}", headDim));
  for (std::vector<std::string> *values : {&dims, &types})
    if (values->empty())
      values->emplace_back(); // the default
  std::vector<WarmRequest> requests;
  for (const LibraryText &text : kernelLibrary()) {
    auto parsed = frontend::parseModule(std::string(text.name), std::string(text.text));
    if (!parsed)
      continue; // Told by the tests: the library is part of the program.
    auto has = [&](std::string_view name) {
      const auto params = (*parsed)->all<frontend::ParamDecl>();
      return std::any_of(params.begin(), params.end(), [&](const auto *param) { return param->name.name == name; });
    };
    const auto kernels = (*parsed)->all<frontend::KernelDecl>();
    for (const auto *kernel : kernels)
      for (const std::string &dim : has("D") ? dims : std::vector<std::string>{""})
        for (const std::string &type : has("T") ? types : std::vector<std::string>{""}) {
          WarmRequest request;
          request.spec.library = text.name;
          if (kernels.size() > 1)
            request.spec.kernel = kernel->name.name;
          if (!dim.empty())
            request.spec.params["D"] = dim;
          if (!type.empty())
            request.spec.params["T"] = type;
          requests.push_back(std::move(request));
        }
  }
  return requests;
}

} // namespace lacuna
