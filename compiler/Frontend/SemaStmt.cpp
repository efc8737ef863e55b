//===- SemaStmt.cpp - Checks of statements -----------------------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

void Sema::checkBlock(const Block &block) {
  scopes.emplace_back();
  for (const auto &stmt : block)
    checkStmt(*stmt);
  scopes.pop_back();
}

void Sema::checkStmt(const Stmt &stmt) {
  if (sink.hasDropped())
    return;
  if (stmt.label) {
    auto [previous, isNew] = labels.try_emplace(stmt.label.name, &stmt);
    if (!isNew)
      error(stmt.label.range, fmt::format("the label '{}' is used twice; rename one of them", stmt.label.name))
          .note(previous->second->label.range, "the other one is here");
  }
  switch (stmt.kind) {
  case Stmt::Kind::Declare:
    return checkDeclare(*llvm::cast<DeclareStmt>(&stmt));
  case Stmt::Kind::Assign:
    return checkAssign(*llvm::cast<AssignStmt>(&stmt));
  case Stmt::Kind::If:
    return checkIf(*llvm::cast<IfStmt>(&stmt));
  case Stmt::Kind::ForBlocks:
    return checkForBlocks(*llvm::cast<ForBlocksStmt>(&stmt));
  case Stmt::Kind::ForRange:
    return checkForRange(*llvm::cast<ForRangeStmt>(&stmt));
  case Stmt::Kind::Store:
    return checkStore(*llvm::cast<StoreStmt>(&stmt));
  }
}

void Sema::checkAssignable(const Type &from, const Type &to, const Expr &value, std::string_view what) {
  if (!from || !to || isAssignable(from, to))
    return;
  std::string message = fmt::format("{} has type {}, but the value has type {}", what, to.str(), from.str());
  bool sameElement = from.element == to.element || (from.element.is(ScalarKind::I32) && to.element.is(ScalarKind::F32));
  if (!sameElement && !to.element.is(ScalarKind::Bool))
    message += fmt::format("; convert it with `as {}`", to.element.str());
  else if (!sameElement)
    message += "; compare it, as in `x != 0`";
  else if (from.isTile() && to.isScalar())
    message += "; reduce it to a scalar with sum, amax or amin";
  else if (from.rows == to.columns && from.columns == to.rows)
    message += "; transpose it";
  else
    message += "; extents must be the same as written, or 1";
  error(value.range, std::move(message));
}

void Sema::checkDeclare(const DeclareStmt &stmt) {
  Type type = check(*stmt.value);
  if (stmt.type) {
    Type written = valueType(*stmt.type);
    checkAssignable(type, written, *stmt.value, fmt::format("'{}'", stmt.name.name));
    type = written;
  }
  declare(newSymbol(stmt.isVar ? Symbol::Kind::Var : Symbol::Kind::Let, stmt.name, type), &stmt.name);
  declarations[stmt.name.name].push_back(&stmt);
}

void Sema::checkAssign(const AssignStmt &stmt) {
  Type type = check(*stmt.value);
  const Symbol *symbol = resolve(stmt.name, &stmt.name, "a variable");
  if (!symbol)
    return;
  if (symbol->kind != Symbol::Kind::Var) {
    bool isLet = symbol->kind == Symbol::Kind::Let;
    error(stmt.name.range,
          isLet ? fmt::format("'{}' cannot be assigned, because it is declared with `let`; declare it with `var`",
                              stmt.name.name)
                : fmt::format("{} '{}' cannot be assigned; only what is declared with `var` can",
                              symbolKindName(symbol->kind), stmt.name.name))
        .note(symbol->range, "declared here");
    return;
  }
  checkAssignable(type, symbol->type, *stmt.value, fmt::format("'{}'", stmt.name.name));
}

void Sema::checkIf(const IfStmt &stmt) {
  Type condition = check(*stmt.condition);
  if (condition && !condition.isScalar(ScalarKind::Bool))
    error(stmt.condition->range,
          condition.isTile()
              ? fmt::format("the condition of `if` is one bool for the whole tile, but this is {}; choose element by "
                            "element with `condition ? a : b`",
                            condition.str())
              : fmt::format("the condition of `if` is a bool, but this is {}; compare it, as in `x != 0`",
                            condition.str()));
  checkBlock(stmt.thenBlock);
  checkBlock(stmt.elseBlock);
}

bool Sema::checkIndex(const Expr &expr, std::string_view what) {
  Type type = check(expr);
  if (!type)
    return false;
  if (type.isScalar(ScalarKind::I32))
    return true;
  error(expr.range, fmt::format("{} is an i32, but `{}` has type {}", what, printExpr(expr), type.str()));
  return false;
}

void Sema::checkForBlocks(const ForBlocksStmt &stmt) {
  const Symbol *list = resolve(stmt.list.base, &stmt.list.base, "a block list");
  if (list && list->kind != Symbol::Kind::BlockList) {
    error(stmt.list.base.range, fmt::format("a sparse loop runs over a block list, but {} '{}' is none; write "
                                            "`for i in a..b by step` for a dense loop",
                                            symbolKindName(list->kind), list->name))
        .note(list->range, "declared here");
    list = nullptr;
  }
  bool allPoints = stmt.list.subscripts.size() == 3;
  for (const Subscript &subscript : stmt.list.subscripts) {
    allPoints &= subscript.kind == Subscript::Kind::Point;
    if (subscript.index)
      checkIndex(*subscript.index, "an index of a block list");
  }
  if (!allPoints)
    error(stmt.list.range, "a block list is indexed by batch, head and block row, as in `rows[b, h, i*BM/QB]`");
  std::optional<Extent> step = sliceLength(*stmt.step, "the step of a sparse loop");
  if (list && step && list->keyBlock.value % step->value != 0 && step->value % list->keyBlock.value != 0)
    error(stmt.step->range,
          fmt::format("the step must divide the list's key block or be a multiple of it, but the step is {} and "
                      "the block {}",
                      step->describe(), list->keyBlock.describe()))
        .note(list->range, "the list is declared here");
  Type type{Type::Kind::Positions, ElementType{ScalarKind::I32}, Extent(), step ? *step : Extent()};
  const Symbol *positions = newSymbol(Symbol::Kind::Positions, stmt.variable, type);
  scopes.emplace_back();
  declare(positions, &stmt.variable);
  size_t errors = sink.size();
  checkBlock(stmt.body);
  scopes.pop_back();
  if (!result->limits.count(positions) && sink.size() == errors)
    error(stmt.range,
          fmt::format(
              "nothing is loaded at '{0}', so the end of the keys is unknown; load a view at '{0}' in the loop, as "
              "in `load k[b, g, {0}, :]`",
              stmt.variable.name));
}

void Sema::checkForRange(const ForRangeStmt &stmt) {
  checkIndex(*stmt.begin, "the begin of a loop");
  checkIndex(*stmt.end, "the end of a loop");
  std::optional<Extent> step = stmt.step ? extent(*stmt.step, "the step of a loop") : Extent();
  result->steps[&stmt] = step ? step->value : 1;
  checkDistance(stmt);
  scopes.emplace_back();
  declare(newSymbol(Symbol::Kind::LoopIndex, stmt.variable, Type::scalar(ScalarKind::I32)), &stmt.variable);
  checkBlock(stmt.body);
  scopes.pop_back();
}

/// Bounds further apart than an i32 holds would fold to a loop without steps.
void Sema::checkDistance(const ForRangeStmt &stmt) {
  DiagnosticSink unknown; // Bounds that are known at run time only are dimensions and what follows from them.
  auto valueOf = [&](const Expr &bound) {
    return evaluateWithParams(bound, *currentModule, result->params, "a bound", unknown);
  };
  const std::optional<int64_t> begin = valueOf(*stmt.begin), end = begin ? valueOf(*stmt.end) : std::nullopt;
  if (end && *end - *begin > INT32_MAX)
    error(stmt.begin->range,
          fmt::format("the bounds of a loop are at most 2147483647 apart, but `{}` is {} and `{}` is "
                      "{}; count from 0, and add the begin",
                      printExpr(*stmt.begin), *begin, printExpr(*stmt.end), *end));
}

void Sema::checkStore(const StoreStmt &stmt) {
  Type type = check(*stmt.value);
  const CheckedAccess *access = checkAccess(stmt.target, &type);
  if (access)
    checkAssignable(type, access->type, *stmt.value, fmt::format("this part of '{}'", stmt.target.base.name));
}
