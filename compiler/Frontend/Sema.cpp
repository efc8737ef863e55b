//===- Sema.cpp - Names, types and params: the module and the options ------===//

#include "lacuna/Compiler/Frontend/Sema.h"

#include "SemaImpl.h"
#include "lacuna/Compiler/Frontend/Lexer.h"
#include "lacuna/Compiler/Frontend/Parser.h"

using namespace lacuna;
using namespace lacuna::frontend;

/// The text of kernels_dsl/hooks.tile, written by the build.
extern const char *const kHookLibraryText;

std::string_view lacuna::frontend::hookLibraryText() {
  return kHookLibraryText;
}

std::shared_ptr<const Module> lacuna::frontend::hookLibrary() {
  static const std::shared_ptr<const Module> library = [] {
    auto parsed = parseModule("hooks.tile", kHookLibraryText);
    return parsed ? *parsed : std::make_shared<const Module>();
  }();
  return library;
}

std::vector<std::string> lacuna::frontend::kernelNames(const Module &module) {
  std::vector<std::string> names;
  for (const KernelDecl *kernel : module.all<KernelDecl>())
    names.emplace_back(kernel->name.name);
  return names;
}

Expected<std::shared_ptr<const CheckedKernel>> lacuna::frontend::analyze(std::shared_ptr<const Module> module,
                                                                         const Specialization &specialization) {
  Sema sema(std::move(module), hookLibrary(), specialization);
  if (!sema.run())
    return tl::unexpected(sema.diagnostics().toError());
  return sema.takeResult();
}

Sema::Sema(std::shared_ptr<const Module> module, std::shared_ptr<const Module> library,
           const Specialization &specialization)
    : module(std::move(module)), library(std::move(library)), specialization(specialization),
      unusedSettings(specialization.params) {
  result->module = this->module;
  result->library = this->library;
  currentModule = this->module.get();
}

bool Sema::run() {
  if (!checkTopLevelNames(*module))
    return false;
  result->decl = findKernel();
  if (!result->decl)
    return false;
  bindParams();
  checkHookSettings();
  if (sink.hasErrors())
    return false; // every later message would follow from these
  scopes.emplace_back();
  checkHead();
  scopes.emplace_back();
  checkBlock(result->decl->body);
  scopes.pop_back();
  checkPositiveScalars();
  checkSchedules();
  checkUnusedSettings();
  return !sink.hasErrors();
}

/// Params share one space of names, kernels and hooks another (they are what a call or an option can name), patterns a
/// third: a mask and the pattern of its blocks may have one name.
bool Sema::checkTopLevelNames(const Module &checked) {
  std::map<std::string_view, const Decl *> values, functions, patterns;
  for (const auto &decl : checked.decls) {
    if (decl->kind == Decl::Kind::Where || decl->kind == Decl::Kind::Schedule)
      continue;
    auto &space = decl->kind == Decl::Kind::Param ? values : decl->kind == Decl::Kind::Pattern ? patterns : functions;
    std::string_view name = decl->name.name;
    if (findBuiltin(name) && &space == &functions)
      error(decl->name.range, fmt::format("'{}' is a built-in function; choose another name", name));
    if (parseScalarKind(name))
      error(decl->name.range, fmt::format("'{}' is a built-in type; choose another name", name));
    auto [previous, isNew] = space.try_emplace(name, decl.get());
    if (!isNew)
      error(decl->name.range, fmt::format("'{}' is declared twice; rename one of them", name))
          .note(previous->second->name.range, "the other declaration is here");
  }
  return !sink.hasErrors();
}

const KernelDecl *Sema::findKernel() {
  std::vector<const KernelDecl *> kernels = module->all<KernelDecl>();
  for (const KernelDecl *kernel : kernels)
    if (kernel->name.name == specialization.kernel || (specialization.kernel.empty() && kernels.size() == 1))
      return kernel;
  const std::string &file = module->source->name();
  if (kernels.empty())
    sink.error(ErrorCode::NotFound, {}, fmt::format("{} has no kernel; write one, or give a file that has", file));
  else if (specialization.kernel.empty())
    sink.error(ErrorCode::NotFound, {},
               fmt::format("{} has several kernels: {}; name one", file, quotedList(kernelNames(*module))));
  else
    sink.error(ErrorCode::NotFound, {},
               fmt::format("{} has no kernel '{}', but has {}{}", file, specialization.kernel,
                           quotedList(kernelNames(*module)), didYouMean(specialization.kernel, kernelNames(*module))));
  return nullptr;
}

/// The defaults that the kernel's schedule for the target gives to params.
ParamBinder::Defaults Sema::defaultsOfTarget() const {
  ParamBinder::Defaults defaults;
  for (const ScheduleDecl *schedule : module->all<ScheduleDecl>())
    if (schedule->name.name == result->decl->name.name && schedule->target.name == specialization.target)
      for (const ScheduleItem &item : schedule->items)
        for (const ScheduleItem::Knob &knob : item.knobs)
          if (!knob.domain && knob.defaultValue)
            defaults[knob.name.name] = knob.defaultValue.get();
  return defaults;
}

void Sema::bindParams() {
  binder.bind(*module, defaultsOfTarget(), unusedSettings, result->params);
  binder.bind(*library, {}, unusedSettings, result->params);
  for (const auto &[param, value] : result->params) {
    Symbol *symbol = newSymbol(Symbol::Kind::Param, param->name);
    symbol->param = param;
    if (!value.isType) {
      symbol->type = Type::scalar(ScalarKind::I32);
      if (value.value < INT32_MIN || value.value > INT32_MAX)
        sink.error(
            ErrorCode::InvalidArgument, param->range,
            fmt::format("{} = {} does not fit in i32; set it to a smaller value", param->name.name, value.value));
    }
    paramSymbols[param] = symbol;
  }
}

void Sema::checkHookSettings() {
  for (const auto &[name, text] : specialization.hooks)
    if (isBlockList(name))
      replaceList(name, text);
    else
      replaceHook(name, text);
}

void Sema::replaceHook(const std::string &name, const std::string &text) {
  std::string given = fmt::format("{}={}", name, text);
  const HookDecl *hook = findHook(name);
  if (!hook) {
    std::vector<std::string> own;
    for (const HookDecl *declared : module->all<HookDecl>())
      own.emplace_back(declared->name.name);
    std::vector<std::string> lists, known = declNames<HookDecl>();
    for (const KernelDecl::Argument &argument : result->decl->arguments)
      if (argument.type.isBlocks)
        lists.emplace_back(argument.name.name);
    known.insert(known.end(), lists.begin(), lists.end());
    sink.error(ErrorCode::NotFound, {},
               fmt::format("--hook {}: {} has no hook '{}'; its hooks are {}{}{}", given.substr(0, 200),
                           module->source->name(), name, quotedList(own),
                           lists.empty() ? "" : fmt::format(", and its block lists {}", quotedList(lists)),
                           didYouMean(name, known)));
    return;
  }
  auto isParameter = [&](std::string_view word) {
    return std::any_of(hook->parameters.begin(), hook->parameters.end(),
                       [&](const Identifier &parameter) { return parameter.name == word; });
  };
  const SourceFile &file = result->optionTexts.emplace_back("--hook", given);
  auto begin = static_cast<uint32_t>(name.size() + 1);
  if (isIdentifier(text) && !isParameter(text)) {
    SourceRange range{&file, begin, static_cast<uint32_t>(given.size())};
    const HookDecl *other = findHook(text);
    if (!other) {
      sink.error(
          ErrorCode::NotFound, range,
          fmt::format("'{}' is neither a parameter of '{}' nor a hook of {} or of the library; the hooks are {}{}",
                      text, name, module->source->name(), quotedList(declNames<HookDecl>(), 24),
                      didYouMean(text, declNames<HookDecl>())));
    } else if (other->parameters.size() != hook->parameters.size() || other->resultType.name != hook->resultType.name) {
      sink.error(
              ErrorCode::InvalidArgument, range,
              fmt::format(
                  "the hook '{}' has {} parameters and gives {}, but '{}' has {} and gives {}; name a hook of the same "
                  "form, or give an expression",
                  text, other->parameters.size(), other->resultType.name, name, hook->parameters.size(),
                  hook->resultType.name))
          .note(other->range, fmt::format("'{}' is declared here", text))
          .note(hook->range, fmt::format("'{}' is declared here", name));
    } else {
      replacements[hook] = {other, other->body.get()};
    }
    return;
  }
  ExprPtr body = parseOption(file, begin, parseExpression);
  if (!body)
    return;
  replacements[hook] = {hook, body.get()};
  result->optionExprs.push_back(std::move(body));
}

void Sema::checkPositiveScalars() {
  std::vector<std::string> scalars;
  for (const Symbol *argument : result->arguments)
    if (argument->kind == Symbol::Kind::ScalarArgument) {
      scalars.emplace_back(argument->name);
      if (specialization.allScalarsPositive && argument->type.isScalar(ScalarKind::F32))
        result->positiveScalars.insert(argument);
    }
  for (const std::string &name : specialization.positiveScalars) {
    bool found = false;
    for (const Symbol *argument : result->arguments) {
      if (argument->kind == Symbol::Kind::ScalarArgument && argument->name == name) {
        result->positiveScalars.insert(argument);
        found = true;
      }
    }
    if (!found)
      sink.error(ErrorCode::NotFound, {},
                 fmt::format("'{}' was said to be positive, but '{}' has no such scalar argument; it has {}{}", name,
                             result->decl->name.name, quotedList(scalars), didYouMean(name, scalars)));
  }
}

void Sema::checkUnusedSettings() {
  for (const auto &[name, value] : unusedSettings) {
    std::vector<std::string> known;
    for (const auto &[param, paramValue] : result->params)
      known.emplace_back(param->name.name);
    std::vector<std::string> own;
    for (const ParamDecl *param : module->all<ParamDecl>())
      own.emplace_back(param->name.name);
    for (const ScheduleDecl *schedule : module->all<ScheduleDecl>())
      for (const ScheduleItem &item : schedule->items)
        for (const ScheduleItem::Knob &knob : item.knobs)
          if (knob.domain && schedule->name.name == result->decl->name.name)
            known.emplace_back(knob.name.name);
    sink.error(ErrorCode::NotFound, {},
               fmt::format("--set {}={}: '{}' has no param '{}'; its params are {}{}", name, value.substr(0, 80),
                           module->source->name(), name.substr(0, 80), quotedList(own), didYouMean(name, known)));
  }
}
