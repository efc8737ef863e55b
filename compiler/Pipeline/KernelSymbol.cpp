#include "KernelSymbol.h"

#include "CrashRecovery.h"
#include "StageRunner.h"

#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Runtime/CacheKey.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace lacuna {

/// The kernel's name has at least this much of a symbol, whatever params there are.
static constexpr size_t kNameShare = 48;

/// Over the values of all params and all scalars known to be positive, where the text could be checked.
static std::string hashOf(const CompileRequest &request) {
  std::map<std::string, std::string> positive;
  for (const std::string &scalar : request.positiveScalars)
    positive.emplace(scalar, "positive");
  return runtime::CacheKeyBuilder()
      .text("target", targetName(request.target))
      .text("kernel", request.kernel)
      .table("param", request.params)
      .table("hook", request.hooks)
      .table("scalar", positive)
      .text("source", request.source)
      .finish()
      .hex()
      .substr(0, 8);
}

static std::string identifier(std::string_view text) {
  std::string result(text);
  for (char &c : result)
    if (c == '-') // of a number
      c = 'm';
    else if (!std::isalnum(static_cast<unsigned char>(c)))
      c = '_';
  return result;
}

std::string symbolSuffix(const frontend::CheckedKernel &kernel, const CompileRequest &request) {
  CompileRequest resolved = request;
  resolved.kernel = kernel.decl->name.name;
  for (const auto &[param, value] : kernel.params)
    resolved.params[std::string(param->name.name)] = value.str();
  for (const frontend::Symbol *scalar : kernel.positiveScalars)
    resolved.positiveScalars.emplace(scalar->name);
  const std::string hash = "_" + hashOf(resolved);
  std::string suffix;
  for (const frontend::ParamDecl *param : kernel.module->all<frontend::ParamDecl>()) {
    auto value = kernel.params.find(param);
    if (value == kernel.params.end())
      continue;
    std::string part = (value->second.isType ? "_" : "_" + std::string(param->name.name)) + value->second.str();
    if (suffix.size() + part.size() + hash.size() + kNameShare > kMostSymbol)
      break;
    suffix += identifier(part);
  }
  return suffix + hash;
}

std::string symbolOf(std::string_view kernel, std::string_view suffix) {
  return std::string(kernel.substr(0, kMostSymbol - std::min(suffix.size(), kMostSymbol))) + std::string(suffix);
}

std::string symbolOf(const CompileRequest &request) {
  std::string symbol;
  (void)runRecovered([&] {
    if (auto tree = frontend::parseModule(request.fileName, request.source))
      if (auto checked = analyzeRequest(*tree, request))
        symbol = symbolOf((*checked)->decl->name.name, symbolSuffix(**checked, request));
  });
  if (!symbol.empty())
    return symbol;
  std::string name = request.kernel.empty() ? std::filesystem::path(request.fileName).stem().string() : request.kernel;
  return symbolOf(identifier(name), "_" + hashOf(request));
}

} // namespace lacuna
