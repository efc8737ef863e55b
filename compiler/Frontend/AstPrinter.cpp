//===- AstPrinter.cpp - Canonical text of a syntax tree -------------------===//

#include "lacuna/Compiler/Frontend/AstPrinter.h"

#include <fmt/format.h>

#include <cmath>

using namespace lacuna::frontend;
using llvm::cast;
using llvm::dyn_cast;

namespace {

/// How tightly an expression binds: 0 what must stand in parentheses as an operand (`?:`, `map`), 1 to 5 binary
/// operators, 6 `as`, 7 unary, 8 the rest.
int bindingStrength(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::Select:
  case Expr::Kind::Map:
    return 0;
  case Expr::Kind::Binary:
    return precedence(cast<BinaryExpr>(&expr)->op);
  case Expr::Kind::Cast:
    return 6;
  case Expr::Kind::Unary:
    return 7;
  default:
    return 8;
  }
}

class Printer {
public:
  std::string text;

  void module(const Module &module);
  void expr(const Expr &expr);

private:
  template <class... Args> void put(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  }
  void operand(const Expr &expr, int minStrength) {
    bool parens = bindingStrength(expr) < minStrength;
    text += parens ? "(" : "";
    this->expr(expr);
    text += parens ? ")" : "";
  }
  void number(double value);
  void access(const Access &access);
  void map(const MapExpr &map);
  void domain(const Domain &domain);
  void type(const TypeSyntax &type);
  void names(const std::vector<Identifier> &names);
  void doc(const std::vector<std::string_view> &lines);
  void block(const Block &block, unsigned indent);
  void stmt(const Stmt &stmt, unsigned indent);
  void ifStmt(const IfStmt &stmt, unsigned indent);
  void param(const ParamDecl &param);
  void hook(const HookDecl &hook);
  void pattern(const PatternDecl &pattern);
  void kernel(const KernelDecl &kernel);
  void schedule(const ScheduleDecl &schedule);
  void scheduleItem(const ScheduleItem &item);
};

void Printer::number(double value) {
  std::string digits = fmt::format("{}", value);
  if (digits.find_first_of(".e") == std::string::npos)
    digits += ".0";
  text += digits;
}

void Printer::expr(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::Integer:
    return put("{}", cast<IntegerExpr>(&expr)->value);
  case Expr::Kind::Float:
    return number(cast<FloatExpr>(&expr)->value);
  case Expr::Kind::Bool:
    return put("{}", cast<BoolExpr>(&expr)->value);
  case Expr::Kind::Infinity:
    return put("inf");
  case Expr::Kind::Name:
    return put("{}", cast<NameExpr>(&expr)->name);
  case Expr::Kind::Unary: {
    const auto *unary = cast<UnaryExpr>(&expr);
    put("{}", unary->op == UnaryOp::Negate ? '-' : '!');
    return operand(*unary->operand, 7);
  }
  case Expr::Kind::Binary: {
    const auto *binary = cast<BinaryExpr>(&expr);
    int strength = precedence(binary->op);
    operand(*binary->lhs, isComparison(binary->op) ? strength + 1 : strength);
    put(" {} ", spelling(binary->op));
    return operand(*binary->rhs, strength + 1);
  }
  case Expr::Kind::Select: {
    const auto *select = cast<SelectExpr>(&expr);
    operand(*select->condition, 1);
    put(" ? ");
    operand(*select->whenTrue, select->whenTrue->kind == Expr::Kind::Map ? 1 : 0);
    put(" : ");
    return operand(*select->whenFalse, 0);
  }
  case Expr::Kind::Cast: {
    const auto *conversion = cast<CastExpr>(&expr);
    operand(*conversion->operand, 6);
    return put(" as {}", conversion->dtype.name);
  }
  case Expr::Kind::Call: {
    const auto *call = cast<CallExpr>(&expr);
    put("{}(", call->callee.name);
    for (size_t i = 0; i < call->arguments.size(); ++i) {
      text += i ? ", " : "";
      this->expr(*call->arguments[i]);
    }
    return put(")");
  }
  case Expr::Kind::Index:
    return access(cast<IndexExpr>(&expr)->access);
  case Expr::Kind::Member: {
    const auto *member = cast<MemberExpr>(&expr);
    return put("{}.{}", member->base.name, member->member.name);
  }
  case Expr::Kind::Load:
    put("load ");
    return access(cast<LoadExpr>(&expr)->access);
  case Expr::Kind::Map:
    return map(*cast<MapExpr>(&expr));
  }
}

void Printer::access(const Access &access) {
  put("{}[", access.base.name);
  for (size_t i = 0; i < access.subscripts.size(); ++i) {
    const Subscript &subscript = access.subscripts[i];
    text += i ? ", " : "";
    if (subscript.kind == Subscript::Kind::Whole) {
      put(":");
      continue;
    }
    expr(*subscript.index);
    if (subscript.kind == Subscript::Kind::Slice) {
      put(" :+ ");
      expr(*subscript.length);
    }
  }
  put("]");
}

void Printer::map(const MapExpr &map) {
  put("map (");
  for (size_t i = 0; i < map.inputs.size(); ++i) {
    put("{}{} in ", i ? ", " : "", map.inputs[i].name.name);
    expr(*map.inputs[i].tile);
  }
  if (map.row)
    put("; {}, {}", map.row.name, map.column.name);
  put(") => ");
  expr(*map.body);
}

void Printer::domain(const Domain &domain) {
  if (domain.isRange()) {
    operand(*domain.first, 4);
    put("..");
    operand(*domain.last, 4);
    if (domain.step) {
      put(" by ");
      operand(*domain.step, 4);
    }
    return;
  }
  put("{{");
  for (size_t i = 0; i < domain.values.size(); ++i) {
    text += i ? ", " : "";
    expr(*domain.values[i]);
  }
  put("}}");
}

void Printer::type(const TypeSyntax &type) {
  put("{}", type.dtype.name);
  if (type.isBlocks) {
    put("<");
    operand(*type.queryBlock, 4);
    put(", ");
    operand(*type.keyBlock, 4);
    put(">");
  }
  if (type.extents.empty())
    return;
  put("[");
  for (size_t i = 0; i < type.extents.size(); ++i) {
    text += i ? ", " : "";
    expr(*type.extents[i].size);
    text += type.extents[i].orOne ? "|1" : "";
  }
  put("]");
}

void Printer::names(const std::vector<Identifier> &names) {
  for (size_t i = 0; i < names.size(); ++i)
    put("{}{}", i ? ", " : "", names[i].name);
}

void Printer::doc(const std::vector<std::string_view> &lines) {
  for (std::string_view line : lines)
    put("{}\n", line);
}

void Printer::block(const Block &block, unsigned indent) {
  put("{{\n");
  for (const auto &child : block)
    stmt(*child, indent + 2);
  put("{:{}}}}", "", indent);
}

void Printer::ifStmt(const IfStmt &stmt, unsigned indent) {
  put("if ");
  expr(*stmt.condition);
  put(" ");
  block(stmt.thenBlock, indent);
  if (!stmt.hasElse)
    return;
  put(" else ");
  bool chain = stmt.elseBlock.size() == 1 && llvm::isa<IfStmt>(stmt.elseBlock[0].get()) && !stmt.elseBlock[0]->label;
  if (chain)
    ifStmt(*cast<IfStmt>(stmt.elseBlock[0].get()), indent);
  else
    block(stmt.elseBlock, indent);
}

void Printer::stmt(const Stmt &stmt, unsigned indent) {
  put("{:{}}", "", indent);
  if (stmt.label)
    put("{}: ", stmt.label.name);
  if (const auto *declare = dyn_cast<DeclareStmt>(&stmt)) {
    put("{} {}", declare->isVar ? "var" : "let", declare->name.name);
    if (declare->type) {
      put(": ");
      type(*declare->type);
    }
    put(" = ");
    expr(*declare->value);
  } else if (const auto *assign = dyn_cast<AssignStmt>(&stmt)) {
    put("{} = ", assign->name.name);
    expr(*assign->value);
  } else if (const auto *store = dyn_cast<StoreStmt>(&stmt)) {
    put("store ");
    access(store->target);
    put(" = ");
    expr(*store->value);
  } else if (const auto *conditional = dyn_cast<IfStmt>(&stmt)) {
    ifStmt(*conditional, indent);
  } else if (const auto *sparse = dyn_cast<ForBlocksStmt>(&stmt)) {
    put("for {} in ", sparse->variable.name);
    access(sparse->list);
    put(" by ");
    operand(*sparse->step, 4);
    put(" ");
    block(sparse->body, indent);
  } else {
    const auto *loop = cast<ForRangeStmt>(&stmt);
    put("for {} in ", loop->variable.name);
    operand(*loop->begin, 4);
    put("..");
    operand(*loop->end, 4);
    if (loop->step) {
      put(" by ");
      operand(*loop->step, 4);
    }
    put(" ");
    block(loop->body, indent);
  }
  put("\n");
}

void Printer::param(const ParamDecl &param) {
  put("param {} in ", param.name.name);
  domain(param.domain);
  if (param.defaultValue) {
    put(" = ");
    expr(*param.defaultValue);
  }
  put("\n");
}

void Printer::hook(const HookDecl &hook) {
  put("hook {}(", hook.name.name);
  names(hook.parameters);
  put(") -> {} = ", hook.resultType.name);
  expr(*hook.body);
  put("\n");
}

void Printer::pattern(const PatternDecl &pattern) {
  put("pattern {}(", pattern.name.name);
  names(pattern.parameters);
  put(") =");
  auto span = [&](std::string_view word, const Expr &begin, const Expr &end) {
    put(" {} ", word);
    operand(begin, 4);
    put(" .. ");
    operand(end, 4);
  };
  for (const PatternDecl::Band &band : pattern.bands) {
    put("{}", &band == &pattern.bands.front() ? "" : ",\n ");
    span("some", *band.someBegin, *band.someEnd);
    if (band.allBegin)
      span("all", *band.allBegin, *band.allEnd);
  }
  put("\n");
}

void Printer::kernel(const KernelDecl &kernel) {
  put("kernel {}(", kernel.name.name);
  for (size_t i = 0; i < kernel.arguments.size(); ++i) {
    const KernelDecl::Argument &argument = kernel.arguments[i];
    put("{}{}: {}", i ? ", " : "", argument.name.name, argument.isOutput ? "out " : "");
    type(argument.type);
  }
  put(")\n");
  for (const ExprPtr &constraint : kernel.constraints) {
    put("  where ");
    expr(*constraint);
    put("\n");
  }
  for (size_t i = 0; i < kernel.grid.size(); ++i) {
    put("{}{}: ", i ? ", " : "  grid (", kernel.grid[i].name.name);
    expr(*kernel.grid[i].size);
  }
  text += kernel.grid.empty() ? "" : ")\n";
  block(kernel.body, 0);
  put("\n");
}

void Printer::schedule(const ScheduleDecl &schedule) {
  put("schedule {} on {} {{\n", schedule.name.name, schedule.target.name);
  for (const ScheduleItem &item : schedule.items) {
    put("  ");
    scheduleItem(item);
    put("\n");
  }
  put("}}\n");
}

void Printer::scheduleItem(const ScheduleItem &item) {
  switch (item.kind) {
  case ScheduleItem::Kind::Producer:
    put("producer regs ");
    expr(*item.value);
    break;
  case ScheduleItem::Kind::Consumers:
    put("consumers ");
    expr(*item.count);
    put(" regs ");
    item.value ? expr(*item.value) : put("auto");
    break;
  case ScheduleItem::Kind::Ring:
    put("ring ");
    names(item.names);
    put(" depth ");
    expr(*item.value);
    break;
  case ScheduleItem::Kind::Overlap:
    put("overlap ");
    names(item.names);
    break;
  case ScheduleItem::Kind::Pingpong:
    put("pingpong");
    break;
  case ScheduleItem::Kind::Programs:
    put("programs {}", item.word.name);
    break;
  case ScheduleItem::Kind::Split:
    put("split {}", item.word.name);
    break;
  case ScheduleItem::Kind::Order:
    put("order grid {}", item.word.name);
    break;
  case ScheduleItem::Kind::Epilogue:
    put("epilogue {}", item.word.name);
    break;
  case ScheduleItem::Kind::Tune:
    for (size_t i = 0; i < item.knobs.size(); ++i) {
      const ScheduleItem::Knob &knob = item.knobs[i];
      put("{}{}", i ? ", " : "tune ", knob.name.name);
      if (knob.domain) {
        put(" in ");
        domain(*knob.domain);
      }
      if (knob.defaultValue) {
        put(" = ");
        expr(*knob.defaultValue);
      }
    }
    break;
  }
  if (item.condition) {
    put("{}", item.kind == ScheduleItem::Kind::Tune ? " where " : " when ");
    expr(*item.condition);
  }
}

void Printer::module(const Module &module) {
  doc(module.doc);
  const Decl *previous = nullptr;
  for (const auto &decl : module.decls) {
    bool header = llvm::isa<ParamDecl, WhereDecl>(decl.get());
    bool together = previous && previous->kind != Decl::Kind::Kernel && decl->doc.empty() &&
                    (header ? llvm::isa<ParamDecl, WhereDecl>(previous) : previous->kind == decl->kind);
    if ((previous || !module.doc.empty()) && !together)
      put("\n");
    doc(decl->doc);
    if (const auto *where = dyn_cast<WhereDecl>(decl.get())) {
      put("where ");
      expr(*where->condition);
      put("\n");
    } else if (const auto *parameter = dyn_cast<ParamDecl>(decl.get())) {
      param(*parameter);
    } else if (const auto *function = dyn_cast<HookDecl>(decl.get())) {
      hook(*function);
    } else if (const auto *blocks = dyn_cast<PatternDecl>(decl.get())) {
      pattern(*blocks);
    } else if (const auto *main = dyn_cast<KernelDecl>(decl.get())) {
      kernel(*main);
    } else {
      schedule(*cast<ScheduleDecl>(decl.get()));
    }
    previous = decl.get();
  }
}

} // namespace

std::string lacuna::frontend::printModule(const Module &module) {
  Printer printer;
  printer.module(module);
  return std::move(printer.text);
}

std::string lacuna::frontend::printExpr(const Expr &expr) {
  Printer printer;
  printer.expr(expr);
  return std::move(printer.text);
}
