//===- ParamBinding.h - Values of params ------------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_PARAMBINDING_H
#define LACUNA_COMPILER_FRONTEND_PARAMBINDING_H

#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Compiler/Frontend/Diagnostics.h"

namespace lacuna::frontend {

/// The params of a module, and the texts that the caller set.
class ParamBinder {
public:
  /// `texts` owns the option texts that diagnostics point into.
  ParamBinder(std::deque<SourceFile> &texts, DiagnosticSink &diagnostics) : texts(texts), diagnostics(diagnostics) {}

  /// By the name of a param: what it is where nothing is set, in place of the default that its declaration gives.
  using Defaults = std::map<std::string_view, const Expr *>;

  /// Gives every param of `module` its value, from `settings` or its default, checks domains and the module's
  /// constraints, and removes from `settings` what it used. A default may name params that are declared before it.
  void bind(const Module &module, const Defaults &defaults, std::map<std::string, std::string> &settings,
            ParamValues &values);

  /// The value that the text of a setting gives to a name with this domain; nothing after a report.
  std::optional<ParamValue> parseSetting(std::string_view name, const std::string &text, const Domain &domain,
                                         const Module &module, const ParamValues &values);
  /// The members of a domain, as messages and the tuner show them; a range is expanded up to `limit` members.
  std::optional<std::vector<ParamValue>> members(const Domain &domain, const Module &module, const ParamValues &values,
                                                 size_t limit = 4096);

private:
  std::optional<ParamValue> evaluate(const Expr &expr, bool isType, const Module &module, const ParamValues &values,
                                     std::string_view context);
  bool inDomain(const ParamValue &value, const Domain &domain, const Module &module, const ParamValues &values);
  std::string describe(const Domain &domain, const Module &module, const ParamValues &values);
  void checkConstraints(const Module &module, const ParamValues &values);

  std::deque<SourceFile> &texts;
  DiagnosticSink &diagnostics;
};

/// Evaluates an expression over the params of `module` that have values; reports in terms of `context`.
std::optional<int64_t> evaluateWithParams(const Expr &expr, const Module &module, const ParamValues &values,
                                          std::string_view context, DiagnosticSink &diagnostics);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_PARAMBINDING_H
