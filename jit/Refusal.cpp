#include "Refusal.h"

#include "lacuna/Jit/KernelLibrary.h"

namespace lacuna {

static std::string listOf(const std::map<std::string, std::string> &settings) {
  std::string text;
  for (const auto &[name, value] : settings)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text;
}

std::string titleOf(const std::string &kernel, const std::map<std::string, std::string> &params,
                    const std::map<std::string, std::string> &hooks) {
  if (params.empty() && hooks.empty())
    return kernel;
  return fmt::format("{} ({}{})", kernel, listOf(params),
                     hooks.empty() ? "" : (params.empty() ? "" : "; ") + listOf(hooks));
}

/// A word as a POSIX shell reads it.
static std::string quoted(const std::string &word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos)
    return word;
  std::string text = "'";
  for (char each : word)
    text += each == '\'' ? "'\\''" : std::string(1, each);
  return text + "'";
}

std::string warmWords(const CompileRequest &request) {
  // A text of the library goes by its name there. One that came from no file has to be put into one.
  std::string name = request.fileName == "<source>" ? "FILE.tile" : request.fileName;
  for (const LibraryText &each : kernelLibrary())
    if (each.text == request.source)
      name = each.name;
  std::string words = quoted(name);
  if (!request.kernel.empty())
    words += " --kernel " + quoted(request.kernel);
  for (const auto &[param, value] : request.params)
    words += fmt::format(" --set {}", quoted(fmt::format("{}={}", param, value)));
  for (const auto &[hook, body] : request.hooks)
    words += fmt::format(" --hook {}", quoted(fmt::format("{}={}", hook, body)));
  if (!request.allScalarsPositive)
    words += " --any-scalars";
  if (request.target != Target::Sm90a) // On a machine without the GPU nothing says it.
    words += fmt::format(" --target {}", targetName(request.target));
  return words;
}

Error missingKernel(const CompileRequest &request, const ResolvedRequest &resolved, const runtime::DiskCache *disk,
                    runtime::MissReason reason, bool compiles) {
  const std::string what = fmt::format(
      "kernel {} for {}{}", titleOf(resolved.kernel, request.params, request.hooks), targetName(request.target),
      request.allScalarsPositive ? "" : ", in the variant for float32 scalars that are not above zero,");
  const std::string_view refused = compiles ? "" : ", and LACUNA_JIT=off lets nothing be compiled";
  if (request.target == Target::Cpu)
    return {ErrorCode::Unavailable, fmt::format("{} is not in memory{}; code for the CPU is never kept on disk: it has "
                                                "to be compiled by each process, with LACUNA_JIT=on",
                                                what, refused)};
  if (!disk)
    return {
        ErrorCode::Unavailable,
        fmt::format("{} is not in memory{}; there is no cache on disk to take it from: set LACUNA_CACHE=disk, and "
                    "LACUNA_CACHE_DIR to one that lacuna warm has filled, and unset LACUNA_DUMP and LACUNA_OVERRIDE",
                    what, refused)};
  const std::string why =
      reason == runtime::MissReason::Absent ? "" : fmt::format(" (its entry: {})", runtime::missReasonName(reason));
  return {ErrorCode::Unavailable,
          fmt::format("{} is not in the cache {}{}{}; put it there with: {}lacuna warm {}", what, disk->directory(),
                      why, refused, compiles ? "" : "LACUNA_JIT=on ", warmWords(request))};
}

} // namespace lacuna
