#include "lacuna/Compiler/Frontend/TuneEntry.h"

#include "lacuna/Compiler/Frontend/AstPrinter.h"
#include "lacuna/Compiler/Frontend/ParamBinding.h"
#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Compiler/Frontend/Sema.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

#include <algorithm>

using namespace lacuna;
using namespace lacuna::frontend;

static std::string hashOf(const Module &module) {
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(printModule(module)));
  return llvm::toHex(hash.final(), /*LowerCase=*/true).substr(0, 32);
}

static std::string nameIn(const ExprPtr &expr) {
  const auto *name = llvm::dyn_cast_or_null<NameExpr>(expr.get());
  return name ? std::string(name->name) : "";
}

static void describeKnobs(const CheckedKernel &kernel, TuneEntry &entry) {
  auto isParam = [&](const std::string &name) {
    return std::any_of(kernel.params.begin(), kernel.params.end(),
                       [&](const auto &param) { return param.first->name.name == name; });
  };
  if (!kernel.schedule)
    return;
  for (const SchedulePlan::Knob &knob : kernel.schedule->knobs)
    entry.knobs.push_back({knob.name, knob.candidates, knob.chosen, isParam(knob.name)});
  for (const Expr *condition : kernel.schedule->tuneConditions)
    entry.conditions.push_back(printExpr(*condition));
}

static void describeParams(const CheckedKernel &kernel, TuneEntry &entry) {
  std::deque<SourceFile> texts;
  DiagnosticSink diagnostics;
  ParamBinder binder(texts, diagnostics);
  for (const ParamDecl *param : kernel.module->all<ParamDecl>()) {
    std::string name(param->name.name);
    bool isKnob = std::any_of(entry.knobs.begin(), entry.knobs.end(),
                              [&](const TuneEntry::Choice &knob) { return knob.name == name; });
    auto value = kernel.params.find(param);
    auto members = binder.members(param->domain, *kernel.module, kernel.params);
    if (isKnob || value == kernel.params.end() || !members)
      continue;
    TuneEntry::Choice choice{name, {}, value->second.str(), true};
    for (const ParamValue &member : *members)
      choice.values.push_back(member.str());
    entry.params.push_back(std::move(choice));
  }
}

Expected<TuneEntry> lacuna::frontend::describeTuneEntry(const std::string &fileName, const std::string &source,
                                                        const std::string &kernelName,
                                                        const std::map<std::string, std::string> &params,
                                                        const std::string &target) {
  auto module = parseModule(fileName, source);
  if (!module)
    return takeError(module);
  Specialization specialization;
  specialization.kernel = kernelName;
  specialization.params = params;
  specialization.target = target;
  auto checked = analyze(*module, specialization);
  if (!checked)
    return takeError(checked);
  const CheckedKernel &kernel = **checked;
  TuneEntry entry;
  entry.kernel = kernel.decl->name.name;
  entry.hash = hashOf(**module);
  describeKnobs(kernel, entry);
  describeParams(kernel, entry);
  for (const Symbol *dim : kernel.dims)
    entry.dims.emplace_back(dim->name);
  entry.constraints = kernel.constraints;
  for (const HookDecl *hook : (*module)->all<HookDecl>())
    entry.hooks.emplace_back(hook->name.name);
  for (const auto &[positions, limit] : kernel.limits)
    if (limit.dim)
      entry.listColumns = limit.dim->name;
  for (const KernelDecl::Argument &argument : kernel.decl->arguments)
    if (argument.type.isBlocks) {
      entry.listRowParam = nameIn(argument.type.queryBlock);
      entry.listColumnParam = nameIn(argument.type.keyBlock);
    }
  return entry;
}
