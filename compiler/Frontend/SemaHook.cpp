//===- SemaHook.cpp - Checks of hooks and of their calls ---------------------===//

#include "SemaImpl.h"

#include <algorithm>

using namespace lacuna;
using namespace lacuna::frontend;

Type Sema::checkHookCall(const CallExpr &expr, const HookDecl &hook) {
  std::vector<Type> types;
  bool valid = true;
  for (const ExprPtr &argument : expr.arguments) {
    Type type = check(*argument);
    if (type.isTile()) {
      error(
          argument->range,
          fmt::format("the hook '{}' works on scalars, but this is {}; call it in a map, as in `map (x in s; i, j) => "
                      "{}(x, i, j)`",
                      hook.name.name, type.str(), hook.name.name));
      type = {};
    } else if (type && type.element.isNarrow()) {
      error(argument->range,
            fmt::format("a hook's parameters are f32, i32 or bool, but this is {}; convert it with `as f32`",
                        type.str()));
      type = {};
    }
    valid &= static_cast<bool>(type);
    types.push_back(type);
  }
  if (types.size() != hook.parameters.size()) {
    error(expr.range, fmt::format("the hook '{}' has {} parameters, but is called with {} arguments", hook.name.name,
                                  hook.parameters.size(), types.size()))
        .note(hook.range, "declared here");
    return {};
  }
  if (!valid)
    return {};
  HookInstance *instance = instantiate(expr, hook, types);
  if (!instance)
    return {};
  for (size_t i = 0; i < types.size(); ++i) {
    const Symbol &parameter = *instance->parameters[i];
    if (!isAssignable(types[i], parameter.type))
      error(expr.arguments[i]->range, fmt::format("'{}' is {} since the first call of '{}', but this is {}; a hook has "
                                                  "the same types in all calls of a kernel, so "
                                                  "convert it with `as`",
                                                  parameter.name, parameter.type.str(), hook.name.name, types[i].str()))
          .note(instance->firstCall, "the first call is here");
  }
  if (!countCall(expr, *instance))
    return {};
  result->hookCalls[&expr] = instance;
  if (context == Context::Hook)
    for (const Symbol *captured : instance->captures)
      capture(captured);
  return instance->result;
}

/// Adds a call to those of the hook or kernel being checked; reports one too many, once.
bool Sema::countCall(const CallExpr &call, const HookInstance &instance) {
  const HookInstance *caller = context == Context::Hook ? pendingHooks.back().get() : nullptr;
  int64_t &calls = inlinedCalls[caller];
  const bool few = calls <= kMaxInlinedCalls;
  calls += 1 + inlinedCalls[&instance];
  if (few && calls > kMaxInlinedCalls)
    error(call.range,
          fmt::format("with this call of '{}' {} has more than {} calls of hooks, counting those in the "
                      "hooks that are called; write fewer, or give a hook the result of another",
                      instance.decl->name.name,
                      caller ? fmt::format("the hook '{}'", caller->decl->name.name) : "the kernel", kMaxInlinedCalls));
  return calls <= kMaxInlinedCalls;
}

/// The hook as this kernel calls it; checked where it is called first. Null after a report.
HookInstance *Sema::instantiate(const CallExpr &call, const HookDecl &hook, const std::vector<Type> &types) {
  auto isPending = [&](const auto &pending) { return pending->decl == &hook; };
  if (std::any_of(pendingHooks.begin(), pendingHooks.end(), isPending)) {
    error(call.range,
          fmt::format(
              "the hook '{}' calls itself, directly or through another hook; recursion is not allowed, so write its "
              "result out",
              hook.name.name))
        .note(hook.range, "declared here");
    return nullptr;
  }
  if (auto known = instances.find(&hook); known != instances.end())
    return known->second;
  auto replacement = replacements.find(&hook);
  auto instance = std::make_unique<HookInstance>();
  instance->decl = &hook;
  instance->source = replacement != replacements.end() ? replacement->second.source : &hook;
  instance->body = replacement != replacements.end() ? replacement->second.body : hook.body.get();
  instance->firstCall = call.range;
  std::optional<ElementType> element = elementType(hook.resultType);
  if (!element || element->isNarrow()) {
    if (element)
      error(hook.resultType.range, fmt::format("a hook gives f32, i32 or bool, not {}", element->str()));
    instances[&hook] = nullptr;
    return nullptr;
  }
  size_t levels = instance->body->depth;
  for (const auto &pending : pendingHooks)
    levels += pending->body->depth;
  if (levels > kMaxHookLevels) {
    error(call.range, fmt::format("the hooks that call one another down to '{}' nest more than {} levels deep, with "
                                  "the expressions of their bodies; join some of them",
                                  hook.name.name, kMaxHookLevels));
    instances[&hook] = nullptr;
    return nullptr;
  }
  instance->result = Type::scalar(*element);
  for (size_t i = 0; i < types.size(); ++i) {
    Symbol *parameter = newSymbol(Symbol::Kind::HookParameter, instance->source->parameters[i], types[i]);
    parameter->index = static_cast<unsigned>(i);
    instance->parameters.push_back(parameter);
  }
  pendingHooks.push_back(std::move(instance));
  size_t errors = sink.size();
  checkHookBody(*pendingHooks.back());
  instance = std::move(pendingHooks.back());
  pendingHooks.pop_back();
  instances[&hook] = sink.size() == errors ? instance.get() : nullptr;
  result->hooks.push_back(std::move(instance));
  return instances[&hook];
}

void Sema::checkHookBody(HookInstance &instance) {
  bool fromLibrary = instance.source->range.file == library->source.get();
  std::vector<Scope> callerScopes = std::move(scopes);
  const Module *callerModule = currentModule;
  Context callerContext = context;
  scopes.assign(1, callerScopes.front()); // the kernel's head
  scopes.emplace_back();
  // The text of an option stands for a hook of the file, whatever hook it replaces.
  bool isOption = instance.body != instance.source->body.get();
  currentModule = fromLibrary && !isOption ? library.get() : module.get();
  context = Context::Hook;
  for (const Symbol *parameter : instance.parameters)
    declare(parameter, nullptr);
  Type type = check(*instance.body);
  if (type && !isAssignable(type, instance.result))
    error(instance.body->range, fmt::format("the hook '{}' gives {}, but its body has type {}",
                                            instance.decl->name.name, instance.result.str(), type.str()))
        .note(instance.decl->resultType.range, "the result's type is declared here");
  context = callerContext;
  currentModule = callerModule;
  scopes = std::move(callerScopes);
}

/// Notes that the hook being checked reads a scalar argument of the kernel.
void Sema::capture(const Symbol *symbol) {
  std::vector<const Symbol *> &captures = pendingHooks.back()->captures;
  if (std::find(captures.begin(), captures.end(), symbol) == captures.end())
    captures.push_back(symbol);
}
