//===- ParamBinding.cpp - Values of params ----------------------------------===//

#include "lacuna/Compiler/Frontend/ParamBinding.h"

#include "ConstantEval.h"
#include "lacuna/Compiler/Frontend/AstPrinter.h"

#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace lacuna;
using namespace lacuna::frontend;

static const ParamDecl *findParam(const Module &module, std::string_view name) {
  for (const ParamDecl *param : module.all<ParamDecl>())
    if (param->name.name == name)
      return param;
  return nullptr;
}

static bool isTypeName(const Expr &expr) {
  const auto *name = llvm::dyn_cast<NameExpr>(&expr);
  return name && parseScalarKind(name->name);
}

/// A domain of types lists type names only.
static bool isTypeDomain(const Domain &domain) {
  return !domain.isRange() && isTypeName(*domain.values.front());
}

std::optional<int64_t> lacuna::frontend::evaluateWithParams(const Expr &expr, const Module &module,
                                                            const ParamValues &values, std::string_view context,
                                                            DiagnosticSink &diagnostics) {
  NameValue nameValue = [&](const NameExpr &name) -> std::optional<int64_t> {
    if (diagnostics.hasDropped())
      return std::nullopt;
    const ParamDecl *param = findParam(module, name.name);
    auto value = param ? values.find(param) : values.end();
    if (value != values.end() && !value->second.isType)
      return value->second.value;
    std::vector<std::string> known;
    for (const auto &[other, otherValue] : values)
      if (!otherValue.isType)
        known.emplace_back(other->name.name);
    if (value != values.end())
      diagnostics.error(ErrorCode::VerifyError, name.range,
                        fmt::format("'{}' is a type, and {} needs an integer", name.name, context));
    else if (param)
      diagnostics
          .error(ErrorCode::VerifyError, name.range,
                 fmt::format("'{}' has no value here; {} may name params that are declared before it and have a value",
                             name.name, context))
          .note(param->range, "declared here");
    else
      diagnostics.error(ErrorCode::VerifyError, name.range,
                        fmt::format("'{}' is not a param; {} is made of params and integers{}", name.name, context,
                                    didYouMean(name.name, known)));
    return std::nullopt;
  };
  return evaluateConstant(expr, nameValue, context, diagnostics);
}

std::optional<ParamValue> ParamBinder::evaluate(const Expr &expr, bool isType, const Module &module,
                                                const ParamValues &values, std::string_view context) {
  if (!isType) {
    std::optional<int64_t> value = evaluateWithParams(expr, module, values, context, diagnostics);
    return value ? std::optional(ParamValue{false, *value}) : std::nullopt;
  }
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr)) {
    std::optional<ScalarKind> kind = parseScalarKind(name->name);
    if (kind && *kind != ScalarKind::Bool)
      return ParamValue{true, 0, *kind};
    const ParamDecl *other = findParam(module, name->name);
    auto value = other ? values.find(other) : values.end();
    if (value != values.end() && value->second.isType)
      return value->second;
  }
  diagnostics.error(
      ErrorCode::VerifyError, expr.range,
      fmt::format("expected a type (bf16, f16, f32 or i32) in {}, but found `{}`", context, printExpr(expr)));
  return std::nullopt;
}

std::optional<std::vector<ParamValue>> ParamBinder::members(const Domain &domain, const Module &module,
                                                            const ParamValues &values, size_t limit) {
  std::vector<ParamValue> result;
  if (!domain.isRange()) {
    for (const ExprPtr &expr : domain.values) {
      std::optional<ParamValue> value = evaluate(*expr, isTypeDomain(domain), module, values, "a domain");
      if (!value)
        return std::nullopt;
      result.push_back(*value);
    }
    return result;
  }
  auto first = evaluateWithParams(*domain.first, module, values, "a domain", diagnostics);
  auto last = evaluateWithParams(*domain.last, module, values, "a domain", diagnostics);
  auto step = domain.step ? evaluateWithParams(*domain.step, module, values, "a domain", diagnostics)
                          : std::optional<int64_t>(1);
  if (!first || !last || !step)
    return std::nullopt;
  if (*step <= 0 || *last < *first) {
    diagnostics.error(ErrorCode::VerifyError, domain.range,
                      fmt::format("the domain {}..{} by {} is empty; it needs first <= last and a positive step",
                                  *first, *last, *step));
    return std::nullopt;
  }
  int64_t value = *first;
  while (result.size() < limit) {
    result.push_back({false, value});
    if (__builtin_add_overflow(value, *step, &value) || value > *last)
      break;
  }
  return result;
}

bool ParamBinder::inDomain(const ParamValue &value, const Domain &domain, const Module &module,
                           const ParamValues &values) {
  if (!domain.isRange()) {
    auto all = members(domain, module, values);
    for (const ParamValue &member : all ? *all : std::vector<ParamValue>{value})
      if (member.isType == value.isType && (value.isType ? member.type == value.type : member.value == value.value))
        return true;
    return false;
  }
  if (!members(domain, module, values, 1))
    return true; // reported already
  DiagnosticSink unused;
  int64_t first = evaluateWithParams(*domain.first, module, values, "", unused).value_or(0);
  int64_t last = evaluateWithParams(*domain.last, module, values, "", unused).value_or(0);
  int64_t step = domain.step ? evaluateWithParams(*domain.step, module, values, "", unused).value_or(1) : 1;
  if (value.value < first || value.value > last)
    return false;
  return (static_cast<uint64_t>(value.value) - static_cast<uint64_t>(first)) % static_cast<uint64_t>(step) == 0;
}

std::string ParamBinder::describe(const Domain &domain, const Module &module, const ParamValues &values) {
  DiagnosticSink unused;
  std::string text;
  if (domain.isRange()) {
    auto value = [&](const Expr &expr) { return evaluateWithParams(expr, module, values, "", unused).value_or(0); };
    int64_t step = domain.step ? value(*domain.step) : 1;
    text = fmt::format("{} to {}", value(*domain.first), value(*domain.last));
    return step == 1 ? text : text + fmt::format(" in steps of {}", step);
  }
  auto all = members(domain, module, values);
  for (const ParamValue &member : all ? *all : std::vector<ParamValue>{})
    text += (text.empty() ? "" : ", ") + member.str();
  return text;
}

std::optional<ParamValue> ParamBinder::parseSetting(std::string_view name, const std::string &text,
                                                    const Domain &domain, const Module &module,
                                                    const ParamValues &values) {
  std::string shown = text.size() <= 80 ? text : text.substr(0, 80) + "...";
  const SourceFile &file = texts.emplace_back("--set", fmt::format("{}={}", name, shown));
  SourceRange range{&file, static_cast<uint32_t>(name.size() + 1), static_cast<uint32_t>(file.text().size())};
  auto fail = [&](std::string message) {
    diagnostics.error(ErrorCode::InvalidArgument, range, std::move(message))
        .note(domain.range, "the domain is declared here");
    return std::nullopt;
  };
  ParamValue value;
  value.isType = isTypeDomain(domain);
  if (value.isType) {
    std::optional<ScalarKind> kind = parseScalarKind(text);
    if (!kind)
      return fail(fmt::format("'{}' is not a type; {} may be {}", shown, name, describe(domain, module, values)));
    value.type = *kind;
  } else if (!llvm::to_integer(text, value.value, 10)) {
    bool digits = !text.empty() && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos &&
                  text != "-";
    return fail(
        digits ? fmt::format("{} does not fit in 64 bits; {} may be {}", shown, name, describe(domain, module, values))
               : fmt::format("'{}' is not an integer; {} may be {}", shown, name, describe(domain, module, values)));
  }
  size_t errors = diagnostics.size();
  if (!inDomain(value, domain, module, values) && diagnostics.size() == errors)
    return fail(fmt::format("{} is not in the domain of {}; it may be {}", value.str(), name,
                            describe(domain, module, values)));
  return value;
}

void ParamBinder::bind(const Module &module, const Defaults &defaults, std::map<std::string, std::string> &settings,
                       ParamValues &values) {
  size_t errorsBefore = diagnostics.size();
  for (const ParamDecl *param : module.all<ParamDecl>()) {
    std::string name(param->name.name);
    auto firstMember = members(param->domain, module, values, 1);
    if (!firstMember)
      continue;
    if (auto setting = settings.find(name); setting != settings.end()) {
      // After a report some value stands in, so that params which follow from this one are not reported too.
      values[param] = parseSetting(name, setting->second, param->domain, module, values).value_or(firstMember->front());
      settings.erase(setting);
      continue;
    }
    auto given = defaults.find(name);
    const Expr *standard = given != defaults.end() ? given->second : param->defaultValue.get();
    if (!standard) {
      diagnostics.error(
          ErrorCode::InvalidArgument, param->range,
          fmt::format("the param '{}' has no default and was not set; give it one of {}, as in --set {}=VALUE", name,
                      describe(param->domain, module, values), name));
      continue;
    }
    auto value = evaluate(*standard, isTypeDomain(param->domain), module, values, "a default");
    if (!value)
      continue;
    if (!inDomain(*value, param->domain, module, values)) {
      diagnostics.error(
          ErrorCode::InvalidArgument, standard->range,
          fmt::format("the default of '{}' is {}, which is not in its domain, {}; set {} or change what the "
                      "default follows from",
                      name, value->str(), describe(param->domain, module, values), name));
      continue;
    }
    values[param] = *value;
  }
  if (diagnostics.size() == errorsBefore)
    checkConstraints(module, values);
}

/// The params that an expression names, with their values: "QB = 96, BM = 64".
static void collectNames(const Expr &expr, std::vector<std::string_view> &names) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr)) {
    if (std::find(names.begin(), names.end(), name->name) == names.end())
      names.push_back(name->name);
  } else if (const auto *unary = llvm::dyn_cast<UnaryExpr>(&expr)) {
    collectNames(*unary->operand, names);
  } else if (const auto *binary = llvm::dyn_cast<BinaryExpr>(&expr)) {
    collectNames(*binary->lhs, names);
    collectNames(*binary->rhs, names);
  } else if (const auto *select = llvm::dyn_cast<SelectExpr>(&expr)) {
    collectNames(*select->condition, names);
    collectNames(*select->whenTrue, names);
    collectNames(*select->whenFalse, names);
  } else if (const auto *call = llvm::dyn_cast<CallExpr>(&expr)) {
    for (const ExprPtr &argument : call->arguments)
      collectNames(*argument, names);
  }
}

void ParamBinder::checkConstraints(const Module &module, const ParamValues &values) {
  for (const WhereDecl *where : module.all<WhereDecl>()) {
    auto holds = evaluateWithParams(*where->condition, module, values, "a constraint", diagnostics);
    if (!holds || *holds)
      continue;
    std::vector<std::string_view> names;
    collectNames(*where->condition, names);
    std::string given;
    for (std::string_view name : names)
      if (const ParamDecl *param = findParam(module, name); param && values.count(param))
        given += fmt::format("{}{} = {}", given.empty() ? "" : ", ", name, values.at(param).str());
    diagnostics.error(ErrorCode::InvalidArgument, where->condition->range,
                      given.empty()
                          ? "this constraint names no param and never holds; take it out, or name one"
                          : fmt::format("the params {} break this constraint; set them so that it holds", given));
  }
}
