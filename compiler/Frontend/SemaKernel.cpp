//===- SemaKernel.cpp - Names, and the head of a kernel ---------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

std::string_view lacuna::frontend::symbolKindName(Symbol::Kind kind) {
  switch (kind) {
  case Symbol::Kind::Param:
    return "the param";
  case Symbol::Kind::Dim:
    return "the run-time dimension";
  case Symbol::Kind::GridAxis:
    return "the grid axis";
  case Symbol::Kind::ScalarArgument:
    return "the scalar argument";
  case Symbol::Kind::View:
    return "the view";
  case Symbol::Kind::BlockList:
    return "the block list";
  case Symbol::Kind::Let:
    return "the value";
  case Symbol::Kind::Var:
    return "the variable";
  case Symbol::Kind::LoopIndex:
    return "the loop's variable";
  case Symbol::Kind::Positions:
    return "the loop's positions";
  case Symbol::Kind::MapElement:
    return "the map's element";
  case Symbol::Kind::MapRow:
  case Symbol::Kind::MapColumn:
    return "the map's index";
  case Symbol::Kind::HookParameter:
    return "the hook's parameter";
  case Symbol::Kind::PatternParameter:
    return "the pattern's parameter";
  }
  return "";
}

std::string AxisExtent::str() const {
  return dim ? std::string(dim->name) : size.text;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Symbol *Sema::newSymbol(Symbol::Kind kind, const Identifier &name, Type type) {
  Symbol &symbol = result->symbols.emplace_back();
  symbol.kind = kind;
  symbol.name = name.name;
  symbol.range = name.range;
  symbol.type = std::move(type);
  return &symbol;
}

const ParamDecl *Sema::findParam(std::string_view name) const {
  auto find = [&](const Module &searched) -> const ParamDecl * {
    for (const ParamDecl *param : searched.all<ParamDecl>())
      if (param->name.name == name)
        return param;
    return nullptr;
  };
  const ParamDecl *param = find(*currentModule);
  return param || !isOutsideKernel() ? param : find(*library);
}

const Symbol *Sema::lookup(std::string_view name) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto found = scope->find(name); found != scope->end())
      return found->second;
  const ParamDecl *param = findParam(name);
  auto symbol = param ? paramSymbols.find(param) : paramSymbols.end();
  return symbol != paramSymbols.end() ? symbol->second : nullptr;
}

void Sema::declare(const Symbol *symbol, const void *node) {
  if (node)
    result->symbolTable[node] = symbol;
  bool isParameter = symbol->kind == Symbol::Kind::HookParameter || // written without knowing the kernel
                     symbol->kind == Symbol::Kind::PatternParameter;
  const Symbol *previous = lookup(symbol->name);
  if (isParameter && !scopes.back().count(symbol->name))
    previous = nullptr;
  if (parseScalarKind(symbol->name))
    error(symbol->range, fmt::format("'{}' is a built-in type; choose another name", symbol->name));
  else if (previous)
    error(symbol->range, fmt::format("'{}' is declared already; choose another name", symbol->name))
        .note(previous->range, fmt::format("{} '{}' is declared here", symbolKindName(previous->kind), previous->name));
  scopes.back().try_emplace(symbol->name, symbol);
}

std::vector<std::string> Sema::visibleNames() const {
  std::set<std::string> names;
  for (const Scope &scope : scopes)
    for (const auto &[name, symbol] : scope)
      names.emplace(name);
  for (const ParamDecl *param : currentModule->all<ParamDecl>())
    names.emplace(param->name.name);
  return {names.begin(), names.end()};
}

const Symbol *Sema::resolve(const Identifier &name, const void *node, std::string_view what) {
  const Symbol *symbol = lookup(name.name);
  if (symbol) {
    result->symbolTable[node] = symbol;
    return symbol;
  }
  bool isFunction = findBuiltin(name.name) || findHook(name.name);
  error(name.range, isFunction
                        ? fmt::format("'{0}' is a function; call it as {0}(...), or name {1}", name.name, what)
                        : fmt::format("undefined name '{}'{}", name.name, didYouMean(name.name, visibleNames())));
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

void Sema::checkHead() {
  const KernelDecl &kernel = *result->decl;
  for (unsigned i = 0; i < kernel.arguments.size(); ++i)
    declareArgument(kernel.arguments[i], i);
  for (const auto &[decl, instance] : result->patterns)
    checkPattern(instance);
  for (const ExprPtr &constraint : kernel.constraints)
    if (auto text = hostText(*constraint, "a kernel's constraint"))
      result->constraints.push_back(*text);
  checkGrid();
}

void Sema::declareArgument(const KernelDecl::Argument &argument, unsigned index) {
  const TypeSyntax &syntax = argument.type;
  if (syntax.isBlocks)
    return declareBlocks(argument, index);
  if (!syntax.extents.empty())
    return declareView(argument, index);
  if (argument.isOutput)
    error(argument.name.range,
          fmt::format("'{}' is a scalar and cannot be an output; give it a shape, as in f32[M]", argument.name.name));
  std::optional<ElementType> element = elementType(syntax.dtype);
  if (element && !element->isArithmetic()) {
    error(syntax.dtype.range, fmt::format("a scalar argument is f32 or i32, not {}", element->str()));
    element = ElementType{ScalarKind::F32};
  }
  Symbol *symbol = newSymbol(Symbol::Kind::ScalarArgument, argument.name, element ? Type::scalar(*element) : Type());
  symbol->index = index;
  declare(symbol, &argument.name);
  result->arguments.push_back(symbol);
}

std::optional<AxisExtent> Sema::axisExtent(const Expr &expr) {
  const auto *name = llvm::dyn_cast<NameExpr>(&expr);
  if (!name || findParam(name->name)) {
    std::optional<Extent> size = extent(expr, "a view's extent");
    return size ? std::optional(AxisExtent{nullptr, *size}) : std::nullopt;
  }
  const Symbol *known = lookup(name->name);
  if (known && known->kind != Symbol::Kind::Dim) {
    error(name->range,
          fmt::format("'{}' is not a length; an extent is a param, a number, or a new name for a run-time dimension",
                      name->name))
        .note(known->range, fmt::format("{} '{}' is declared here", symbolKindName(known->kind), known->name));
    return std::nullopt;
  }
  if (!known) {
    Symbol *dim = newSymbol(Symbol::Kind::Dim, {name->name, name->range}, Type::scalar(ScalarKind::I32));
    dim->index = static_cast<unsigned>(result->dims.size());
    declare(dim, nullptr);
    result->dims.push_back(dim);
    known = dim;
  }
  result->symbolTable[name] = known;
  return AxisExtent{known, {}};
}

void Sema::declareView(const KernelDecl::Argument &argument, unsigned index) {
  const TypeSyntax &syntax = argument.type;
  Symbol *symbol = newSymbol(Symbol::Kind::View, argument.name);
  symbol->index = index;
  symbol->isOutput = argument.isOutput;
  if (std::optional<ElementType> element = elementType(syntax.dtype)) {
    if (element->is(ScalarKind::Bool))
      error(syntax.dtype.range, "a view's elements are bf16, f16, f32, i32 or a dtype param, not bool");
    symbol->type.element = *element;
  }
  if (syntax.extents.size() > 5)
    error(syntax.range,
          fmt::format("a view has one to five axes, but '{}' has {}", argument.name.name, syntax.extents.size()));
  for (const TypeSyntax::Extent &extent : syntax.extents) {
    if (extent.orOne)
      error(extent.size->range,
            "`|1` says that a block list may be shared; it has no meaning for a view, so remove it");
    std::optional<AxisExtent> axis = axisExtent(*extent.size);
    symbol->axes.push_back(axis ? *axis : AxisExtent());
  }
  declare(symbol, &argument.name);
  result->arguments.push_back(symbol);
}

void Sema::declareBlocks(const KernelDecl::Argument &argument, unsigned index) {
  const TypeSyntax &syntax = argument.type;
  Symbol *symbol = newSymbol(Symbol::Kind::BlockList, argument.name);
  symbol->index = index;
  if (argument.isOutput)
    error(argument.name.range, "a block list cannot be an output; remove `out`");
  if (auto queryBlock = extent(*syntax.queryBlock, "a block's extent"))
    symbol->queryBlock = *queryBlock;
  if (auto keyBlock = extent(*syntax.keyBlock, "a block's extent"))
    symbol->keyBlock = *keyBlock;
  if (syntax.extents.size() != 2)
    error(syntax.range,
          fmt::format("a block list has the two axes batch and head, as in blocks<QB, KB>[B|1, H|1], but '{}' has {}",
                      argument.name.name, syntax.extents.size()));
  if (auto pattern = listPatterns.find(symbol->name); pattern != listPatterns.end()) {
    // No argument: it binds no dimension.
    symbol->pattern = instantiatePattern(*pattern->second);
    declare(symbol, &argument.name);
    return;
  }
  for (const TypeSyntax::Extent &extent : syntax.extents) {
    std::optional<AxisExtent> axis = axisExtent(*extent.size);
    symbol->axes.push_back(axis ? *axis : AxisExtent());
    if (axis && !extent.orOne && !(axis->dim == nullptr && axis->size.isOne()))
      error(extent.size->range,
            fmt::format("one list may always serve all of an axis; write {}|1", printExpr(*extent.size)));
  }
  declare(symbol, &argument.name);
  result->arguments.push_back(symbol);
}

//===----------------------------------------------------------------------===//
// Grid and constraints
//===----------------------------------------------------------------------===//

void Sema::checkGrid() {
  const KernelDecl &kernel = *result->decl;
  if (kernel.grid.empty() || kernel.grid.size() > 3) {
    SourceRange range = kernel.grid.empty() ? kernel.range : kernel.grid.back().name.range;
    error(
        range,
        fmt::format("a kernel has a grid of one to three axes, as in `grid (i: ceildiv(M, BM), b: B)`, but '{}' has {}",
                    kernel.name.name, kernel.grid.size()));
  }
  for (const KernelDecl::GridAxis &axis : kernel.grid)
    if (auto text = hostText(*axis.size, "a grid axis"))
      result->grid.push_back(*text);
  for (unsigned i = 0; i < kernel.grid.size(); ++i) {
    Symbol *symbol = newSymbol(Symbol::Kind::GridAxis, kernel.grid[i].name, Type::scalar(ScalarKind::I32));
    symbol->index = i;
    declare(symbol, &kernel.grid[i].name);
  }
}

std::optional<std::string> Sema::hostName(const NameExpr &name, std::string_view what) {
  const Symbol *symbol = lookup(name.name);
  if (symbol && symbol->kind == Symbol::Kind::Dim)
    return std::string(symbol->name);
  if (symbol && symbol->kind == Symbol::Kind::Param && symbol->type) {
    int64_t value = result->params.at(symbol->param).value;
    return value < 0 ? fmt::format("({})", value) : std::to_string(value);
  }
  Diagnostic &diagnostic = error(
      name.range,
      fmt::format("{} is computed from params and run-time dimensions (names in the shapes of views), and '{}' is "
                  "none of them{}",
                  what, name.name, symbol ? "" : didYouMean(name.name, visibleNames())));
  if (symbol)
    diagnostic.note(symbol->range, fmt::format("{} '{}' is declared here", symbolKindName(symbol->kind), symbol->name));
  return std::nullopt;
}

std::optional<std::string> Sema::hostText(const Expr &expr, std::string_view what) {
  auto operand = [&](const Expr &inner) -> std::optional<std::string> {
    std::optional<std::string> text = hostText(inner, what);
    bool parens = llvm::isa<BinaryExpr, UnaryExpr>(&inner);
    return text && parens ? std::optional("(" + *text + ")") : text;
  };
  if (const auto *integer = llvm::dyn_cast<IntegerExpr>(&expr))
    return std::to_string(integer->value);
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr))
    return hostName(*name, what);
  if (const auto *unary = llvm::dyn_cast<UnaryExpr>(&expr)) {
    auto text = operand(*unary->operand);
    return text ? std::optional((unary->op == UnaryOp::Negate ? "-" : "!") + *text) : std::nullopt;
  }
  if (const auto *binary = llvm::dyn_cast<BinaryExpr>(&expr)) {
    auto lhs = operand(*binary->lhs), rhs = operand(*binary->rhs);
    return lhs && rhs ? std::optional(fmt::format("{} {} {}", *lhs, spelling(binary->op), *rhs)) : std::nullopt;
  }
  const auto *call = llvm::dyn_cast<CallExpr>(&expr);
  bool known = call && (call->callee.name == "ceildiv" || call->callee.name == "min" || call->callee.name == "max");
  if (!known || call->arguments.size() != 2) {
    error(expr.range,
          fmt::format("{} is made of params, run-time dimensions, integers, operators and ceildiv(a, b), min(a, b), "
                      "max(a, b); `{}` is not",
                      what, printExpr(expr)));
    return std::nullopt;
  }
  auto lhs = hostText(*call->arguments[0], what), rhs = hostText(*call->arguments[1], what);
  return lhs && rhs ? std::optional(fmt::format("{}({}, {})", call->callee.name, *lhs, *rhs)) : std::nullopt;
}
