//===- AST.h - The syntax tree ----------------------------------*- C++ -*-===//
//
// What the parser read, and nothing more: names are not resolved and nothing has a type. The tree is immutable once
// parsed; Sema keeps what it learns in tables beside it (CheckedKernel.h), so one Module serves any number of
// specialisations.
//
// Nodes are told apart as in LLVM: `isa<LoadExpr>(e)`, `dyn_cast<LoadExpr>(e)`. Names are views of the source text,
// which the Module keeps alive. No expression is deeper than kMaxDepth, so recursive walks are safe.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_AST_H
#define LACUNA_COMPILER_FRONTEND_AST_H

#include "lacuna/Compiler/Frontend/Source.h"

#include "llvm/Support/Casting.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::frontend {

/// The deepest nesting of expressions and statements that the parser takes.
constexpr unsigned kMaxDepth = 200;

/// A name where it is written.
struct Identifier {
  std::string_view name;
  SourceRange range;
  explicit operator bool() const { return range.isValid(); }
};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

struct Expr {
  enum class Kind { Integer, Float, Bool, Infinity, Name, Unary, Binary, Select, Cast, Call, Index, Member, Load, Map };
  const Kind kind;
  SourceRange range;
  unsigned depth = 1; ///< 1 + the depth of the deepest operand

  virtual ~Expr() = default;

protected:
  Expr(Kind kind, SourceRange range) : kind(kind), range(range) {}
};
using ExprPtr = std::unique_ptr<Expr>;

/// Gives a node class its kind, the `classof` that llvm::isa asks, and a constructor from the range.
#define LACUNA_EXPR(CLASS, KIND)                                                                                       \
  explicit CLASS(SourceRange range) : Expr(Kind::KIND, range) {}                                                       \
  static bool classof(const Expr *expr) {                                                                              \
    return expr->kind == Kind::KIND;                                                                                   \
  }

struct IntegerExpr : Expr {
  int64_t value = 0;
  LACUNA_EXPR(IntegerExpr, Integer)
};

struct FloatExpr : Expr {
  double value = 0;
  LACUNA_EXPR(FloatExpr, Float)
};

struct BoolExpr : Expr {
  bool value = false;
  LACUNA_EXPR(BoolExpr, Bool)
};

/// `inf`
struct InfinityExpr : Expr {
  LACUNA_EXPR(InfinityExpr, Infinity)
};

struct NameExpr : Expr {
  std::string_view name;
  LACUNA_EXPR(NameExpr, Name)
};

enum class UnaryOp { Negate, Not };

struct UnaryExpr : Expr {
  UnaryOp op = UnaryOp::Negate;
  ExprPtr operand;
  LACUNA_EXPR(UnaryExpr, Unary)
};

enum class BinaryOp { Or, And, Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Add, Sub, Mul, Div, Rem };

std::string_view spelling(BinaryOp op);
/// Higher binds tighter: || 1, && 2, comparisons 3, + and - 4, the rest 5.
int precedence(BinaryOp op);
inline bool isComparison(BinaryOp op) {
  return precedence(op) == 3;
}
inline bool isLogical(BinaryOp op) {
  return precedence(op) < 3;
}

struct BinaryExpr : Expr {
  BinaryOp op = BinaryOp::Add;
  SourceRange opRange;
  ExprPtr lhs, rhs;
  LACUNA_EXPR(BinaryExpr, Binary)
};

/// `condition ? whenTrue : whenFalse`
struct SelectExpr : Expr {
  ExprPtr condition, whenTrue, whenFalse;
  LACUNA_EXPR(SelectExpr, Select)
};

/// `operand as dtype`
struct CastExpr : Expr {
  ExprPtr operand;
  Identifier dtype;
  LACUNA_EXPR(CastExpr, Cast)
};

/// `callee(arguments)`: a built-in function or a hook
struct CallExpr : Expr {
  Identifier callee;
  std::vector<ExprPtr> arguments;
  LACUNA_EXPR(CallExpr, Call)
};

/// One entry between the brackets of an access: `index`, `index :+ length`, or `:`.
struct Subscript {
  enum class Kind { Point, Slice, Whole } kind = Kind::Point;
  SourceRange range;
  ExprPtr index, length;
};

/// `base[subscripts]`, of a view, a block list or key positions
struct Access {
  Identifier base;
  SourceRange range;
  std::vector<Subscript> subscripts;
};

/// An access that is not behind `load` or `store`: `t[j]`, or `rows[b, h, r]` in the head of a loop
struct IndexExpr : Expr {
  Access access;
  LACUNA_EXPR(IndexExpr, Index)
};

/// `base.member`
struct MemberExpr : Expr {
  Identifier base, member;
  LACUNA_EXPR(MemberExpr, Member)
};

/// `load view[...]`
struct LoadExpr : Expr {
  Access access;
  LACUNA_EXPR(LoadExpr, Load)
};

/// `map (x in s, y in t; i, j) => body`
struct MapExpr : Expr {
  struct Input {
    Identifier name;
    ExprPtr tile;
  };
  std::vector<Input> inputs;
  Identifier row, column; ///< both or neither
  ExprPtr body;
  LACUNA_EXPR(MapExpr, Map)
};
#undef LACUNA_EXPR

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

/// `dtype`, `dtype[extents]`, or `blocks<queryBlock, keyBlock>[extents]`
struct TypeSyntax {
  SourceRange range;
  Identifier dtype; ///< `blocks` for a block list
  bool isBlocks = false;
  ExprPtr queryBlock, keyBlock;
  struct Extent {
    ExprPtr size;
    bool orOne = false; ///< `B|1`
  };
  std::vector<Extent> extents;
};

struct Stmt {
  enum class Kind { Declare, Assign, If, ForBlocks, ForRange, Store };
  const Kind kind;
  SourceRange range; ///< of the head: up to the brace where it has a body
  Identifier label;

  virtual ~Stmt() = default;

protected:
  Stmt(Kind kind, SourceRange range) : kind(kind), range(range) {}
};
using Block = std::vector<std::unique_ptr<Stmt>>;

#define LACUNA_STMT(CLASS, KIND)                                                                                       \
  explicit CLASS(SourceRange range) : Stmt(Kind::KIND, range) {}                                                       \
  static bool classof(const Stmt *stmt) {                                                                              \
    return stmt->kind == Kind::KIND;                                                                                   \
  }

/// `let name: type = value` or `var name: type = value`; the type may be absent
struct DeclareStmt : Stmt {
  bool isVar = false;
  Identifier name;
  std::optional<TypeSyntax> type;
  ExprPtr value;
  LACUNA_STMT(DeclareStmt, Declare)
};

struct AssignStmt : Stmt {
  Identifier name;
  ExprPtr value;
  LACUNA_STMT(AssignStmt, Assign)
};

struct IfStmt : Stmt {
  ExprPtr condition;
  Block thenBlock, elseBlock;
  bool hasElse = false;
  LACUNA_STMT(IfStmt, If)
};

/// `for variable in list[batch, head, row] by step { body }`
struct ForBlocksStmt : Stmt {
  Identifier variable;
  Access list;
  ExprPtr step;
  Block body;
  LACUNA_STMT(ForBlocksStmt, ForBlocks)
};

/// `for variable in begin..end by step { body }`; the step may be absent
struct ForRangeStmt : Stmt {
  Identifier variable;
  ExprPtr begin, end, step;
  Block body;
  LACUNA_STMT(ForRangeStmt, ForRange)
};

struct StoreStmt : Stmt {
  Access target;
  ExprPtr value;
  LACUNA_STMT(StoreStmt, Store)
};
#undef LACUNA_STMT

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

struct Decl {
  enum class Kind { Param, Where, Hook, Pattern, Kernel, Schedule };
  const Kind kind;
  SourceRange range; ///< of the head
  Identifier name;   ///< a schedule's is its kernel; a constraint has none
  std::vector<std::string_view> doc;

  virtual ~Decl() = default;

protected:
  Decl(Kind kind, SourceRange range) : kind(kind), range(range) {}
};

#define LACUNA_DECL(CLASS, KIND)                                                                                       \
  explicit CLASS(SourceRange range) : Decl(Kind::KIND, range) {}                                                       \
  static bool classof(const Decl *decl) {                                                                              \
    return decl->kind == Kind::KIND;                                                                                   \
  }

/// `{a, b, c}` or `first..last by step`; the step may be absent
struct Domain {
  SourceRange range;
  std::vector<ExprPtr> values;
  ExprPtr first, last, step;
  bool isRange() const { return first != nullptr; }
};

struct ParamDecl : Decl {
  Domain domain;
  ExprPtr defaultValue;
  LACUNA_DECL(ParamDecl, Param)
};

/// `where condition` over the params
struct WhereDecl : Decl {
  ExprPtr condition;
  LACUNA_DECL(WhereDecl, Where)
};

struct HookDecl : Decl {
  std::vector<Identifier> parameters;
  Identifier resultType;
  ExprPtr body;
  LACUNA_DECL(HookDecl, Hook)
};

/// `pattern name(b, h, first, last) = some a..b all c..d, …`: which keys the rows of a block meet, by formula
struct PatternDecl : Decl {
  static constexpr size_t kMaxBands = 4;
  struct Band {
    SourceRange range;
    ExprPtr someBegin, someEnd;
    ExprPtr allBegin, allEnd; ///< both or neither
  };
  std::vector<Identifier> parameters;
  std::vector<Band> bands;
  LACUNA_DECL(PatternDecl, Pattern)
};

struct KernelDecl : Decl {
  struct Argument {
    Identifier name;
    bool isOutput = false;
    TypeSyntax type;
  };
  struct GridAxis {
    Identifier name;
    ExprPtr size;
  };
  std::vector<Argument> arguments;
  std::vector<ExprPtr> constraints;
  std::vector<GridAxis> grid;
  Block body;
  LACUNA_DECL(KernelDecl, Kernel)
};

/// One entry of a schedule; which fields it uses follows from its kind. All but `tune` may end in `when CONDITION`.
struct ScheduleItem {
  enum class Kind {
    Producer,  ///< producer regs VALUE
    Consumers, ///< consumers COUNT regs VALUE|auto
    Ring,      ///< ring NAMES depth VALUE
    Overlap,   ///< overlap NAMES
    Pingpong,  ///< pingpong
    Programs,  ///< programs WORD
    Split,     ///< split WORD
    Order,     ///< order grid WORD
    Epilogue,  ///< epilogue WORD
    Tune,      ///< tune KNOBS [where CONDITION]
  } kind = Kind::Producer;
  struct Knob {
    Identifier name;
    std::optional<Domain> domain; ///< absent: a param, with the param's own domain
    ExprPtr defaultValue;         ///< of a param: its default on this target, in place of its own
  };
  SourceRange range;
  ExprPtr count, value, condition;
  std::vector<Identifier> names;
  Identifier word;
  std::vector<Knob> knobs;
};

struct ScheduleDecl : Decl {
  Identifier target;
  std::vector<ScheduleItem> items;
  LACUNA_DECL(ScheduleDecl, Schedule)
};
#undef LACUNA_DECL

/// A parsed file. Thread safety: immutable; any number of threads may read one.
struct Module {
  std::shared_ptr<const SourceFile> source;
  std::vector<std::string_view> doc; ///< the comment that opens the file
  std::vector<std::unique_ptr<Decl>> decls;

  /// All declarations of a class, in source order: `module.all<HookDecl>()`.
  template <class T> std::vector<const T *> all() const {
    std::vector<const T *> result;
    for (const auto &decl : decls)
      if (const auto *match = llvm::dyn_cast<T>(decl.get()))
        result.push_back(match);
    return result;
  }
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_AST_H
