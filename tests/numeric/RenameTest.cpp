// Names carry no meaning: a kernel with every identifier changed gives the same code.
#include "TestCase.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

namespace lacuna::numeric {

namespace {

/// Words of the language: keywords, types, builtins, members, and the words of schedules.
const std::set<std::string, std::less<>> kWords = {
    "param", "hook",    "kernel",   "schedule", "where",   "grid",          "in",       "by",         "as",
    "let",   "var",     "if",       "else",     "for",     "load",          "store",    "map",        "true",
    "false", "inf",     "bf16",     "f16",      "f32",     "i32",           "bool",     "blocks",     "out",
    "exp",   "exp2",    "log",      "log2",     "tanh",    "sqrt",          "rsqrt",    "floor",      "abs",
    "min",   "max",     "ceildiv",  "dot",      "partial", "rowmax",        "rowmin",   "rowsum",     "amax",
    "amin",  "sum",     "on",       "sm_90a",   "sm_80",   "transpose",     "producer", "consumers",  "ring",
    "depth", "overlap", "pingpong", "order",    "when",    "regs",          "auto",     "epilogue",   "tma",
    "tune",  "stages",  "smem",     "regs_fit", "KiB",     "longest_first", "programs", "persistent", "single",
    "split", "masked",  "none",     "natural",  "direct"};

/// Gives every other word a new name. The new names sort in the opposite order of first appearance, so that code which
/// follows the alphabet somewhere shows.
class Renamer {
public:
  std::string text(std::string_view source) {
    std::string result;
    for (size_t at = 0; at < source.size();) {
      size_t end = at;
      if (source.substr(at, 2) == "//") {
        at = std::min(source.find('\n', at), source.size());
      } else if (std::isdigit(static_cast<unsigned char>(source[at]))) { // a number with its unit, as in 227KiB
        while (end < source.size() && std::isalnum(static_cast<unsigned char>(source[end])))
          ++end;
        result += source.substr(at, end - at);
        at = end;
      } else if (isWord(source[at])) {
        while (end < source.size() && isWord(source[end]))
          ++end;
        result += word(std::string(source.substr(at, end - at)));
        at = end;
      } else {
        result += source[at++];
      }
    }
    return result;
  }

  std::string word(const std::string &name) {
    if (kWords.count(name))
      return name;
    auto [found, isNew] = names.try_emplace(name);
    if (isNew)
      found->second = fmt::format("zz{:03}_", 999 - names.size());
    return found->second;
  }

private:
  static bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
  std::map<std::string, std::string> names;
};

/// Code without what may differ: the symbol's name, and lines that only comment or name the source.
std::string normalised(std::string code, const std::string &symbol) {
  constexpr std::string_view kAnySymbol = "SYMBOL";
  for (size_t at = code.find(symbol); at != std::string::npos; at = code.find(symbol, at + kAnySymbol.size()))
    code.replace(at, symbol.size(), kAnySymbol);
  std::string result;
  for (size_t at = 0; at < code.size();) {
    size_t end = std::min(code.find('\n', at), code.size() - 1) + 1;
    std::string_view line(code.data() + at, end - at);
    if (!line.starts_with("; ModuleID") && !line.starts_with("source_filename") && !line.starts_with("//"))
      result += line;
    at = end;
  }
  return result;
}

/// The first line in which two texts differ, of both.
std::string firstDifference(std::string_view a, std::string_view b) {
  size_t at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  auto line = [&](std::string_view text) {
    size_t begin = text.substr(0, at).rfind('\n') + 1;
    return std::string(text.substr(begin, text.find('\n', begin) - begin));
  };
  return fmt::format("'{}' became '{}'", line(a), line(b));
}

struct Code {
  std::string llvm, ptx;
};

Expected<Code> compileFor(Target target, const KernelSpec &spec) {
  CompileRequest request;
  request.fileName = spec.file;
  request.source = spec.source;
  request.target = target;
  request.params = spec.params;
  request.hooks = spec.hooks;
  request.allScalarsPositive = true;
  request.keep = {Stage::LlvmOpt};
  if (isGpu(target)) {
    request.keep.insert(Stage::Ptx);
    request.stopAfter = Stage::Ptx;
  }
  Compiler compiler;
  auto compiled = compiler.compile(request);
  if (!compiled)
    return takeError(compiled);
  const std::string &symbol = compiled->metadata.symbol;
  return Code{normalised(compiled->texts[Stage::LlvmOpt], symbol), normalised(compiled->texts[Stage::Ptx], symbol)};
}

} // namespace

std::vector<std::string> checkRenamedKernel(const Machine &machine) {
  KernelSpec original;
  original.file = "attention_forward.tile";
  auto source = machine.readKernelFile(original.file);
  if (!source)
    return {source.error().render()};
  original.source = *source;
  original.params = {{"D", "64"}, {"BN", "64"}, {"T", "f16"}};
  original.hooks = {{"keep", "j <= i + N - M"}, {"score", "s - 0.25 * h"}};

  Renamer renamer;
  KernelSpec renamed;
  renamed.file = "renamed.tile";
  renamed.source = renamer.text(original.source);
  for (const auto &[name, value] : original.params)
    renamed.params[renamer.word(name)] = value;
  for (const auto &[name, body] : original.hooks)
    renamed.hooks[renamer.word(name)] = renamer.text(body);

  std::vector<std::string> wrong;
  for (Target target : kAllTargets) {
    auto first = compileFor(target, original), second = compileFor(target, renamed);
    for (auto *code : {&first, &second})
      if (!*code)
        wrong.push_back(fmt::format("{}: {}", targetName(target), code->error().render()));
    if (!first || !second)
      continue;
    if (first->llvm.empty() || (isGpu(target) && first->ptx.empty()))
      wrong.push_back(fmt::format("{}: the compiler gave no text of its code", targetName(target)));
    if (first->llvm != second->llvm)
      wrong.push_back(fmt::format("{}: LLVM IR: {}", targetName(target), firstDifference(first->llvm, second->llvm)));
    if (first->ptx != second->ptx)
      wrong.push_back(fmt::format("{}: PTX: {}", targetName(target), firstDifference(first->ptx, second->ptx)));
  }
  return wrong;
}

} // namespace lacuna::numeric
