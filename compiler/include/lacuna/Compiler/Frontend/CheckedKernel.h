//===- CheckedKernel.h - What Sema learned about a kernel -------*- C++ -*-===//
//
// The result of analyze(): the kernel's tree, the values of its params, and tables that give every expression its type
// and every name its meaning. IRGen reads it and never looks a name up again.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_CHECKEDKERNEL_H
#define LACUNA_COMPILER_FRONTEND_CHECKEDKERNEL_H

#include "lacuna/Compiler/Frontend/SchedulePlan.h"
#include "lacuna/Compiler/Frontend/Types.h"

#include "llvm/ADT/DenseMap.h"

#include <deque>
#include <map>
#include <set>

namespace lacuna::frontend {

/// What a caller asks of a kernel text.
struct Specialization {
  std::string kernel; ///< empty: the only one of the file
  std::map<std::string, std::string> params = {};
  /// Hook name -> the name of another hook, or an expression over the hook's own parameters. Name of a block list ->
  /// the name of a pattern, or the bands of one over b, h, first, last: the kernel then has no such argument.
  std::map<std::string, std::string> hooks = {};
  /// Scalar arguments that the launch guarantees to be greater than zero.
  std::set<std::string> positiveScalars = {};
  /// The same for every float32 scalar argument.
  bool allScalarsPositive = false;
  /// Selects the schedule; a target without one gets none.
  std::string target = {};
};

/// The value of a param: an integer, or a type where its domain lists types.
struct ParamValue {
  bool isType = false;
  int64_t value = 0;
  ScalarKind type = ScalarKind::F32;
  std::string str() const { return isType ? std::string(scalarKindName(type)) : std::to_string(value); }
};
using ParamValues = std::map<const ParamDecl *, ParamValue>;

struct Symbol;

/// What computes the rows of a block list in place of an argument.
struct PatternInstance {
  const PatternDecl *decl = nullptr;
  std::vector<const Symbol *> parameters; ///< batch, head, first and last row
};

/// The length of a view's axis: a run-time dimension, or (where `dim` is null) an extent known at compile time.
struct AxisExtent {
  const Symbol *dim = nullptr;
  Extent size;
  std::string str() const;
  bool operator==(const AxisExtent &other) const { return dim == other.dim && (dim || size == other.size); }
};

/// A name with a meaning.
struct Symbol {
  enum class Kind {
    Param,
    Dim,
    GridAxis,
    ScalarArgument,
    View,
    BlockList,
    Let,
    Var,
    LoopIndex,
    Positions,
    MapElement,
    MapRow,
    MapColumn,
    HookParameter,
    PatternParameter
  };
  Kind kind = Kind::Let;
  std::string_view name;
  SourceRange range;
  Type type;                                ///< of the value; Invalid for views, lists and dtype params
  const ParamDecl *param = nullptr;         ///< Param
  unsigned index = 0;                       ///< of an argument, a dim, a grid axis or a hook parameter
  std::vector<AxisExtent> axes;             ///< View and BlockList
  bool isOutput = false;                    ///< View
  Extent queryBlock, keyBlock;              ///< BlockList
  const PatternInstance *pattern = nullptr; ///< BlockList: computed; null: an argument

  bool isArgument() const { return kind == Kind::View || kind == Kind::BlockList || kind == Kind::ScalarArgument; }
};
/// "the run-time dimension", "the view", …: how messages introduce a symbol.
std::string_view symbolKindName(Symbol::Kind kind);

/// A hook with the body and the types that this kernel calls it with.
struct HookInstance {
  const HookDecl *decl = nullptr;   ///< the hook that is called
  const HookDecl *source = nullptr; ///< the hook that `body` and the parameters' names are of
  const Expr *body = nullptr;
  Type result;
  std::vector<const Symbol *> parameters;
  std::vector<const Symbol *> captures; ///< scalar arguments that it or its callees read, in order of first use
  SourceRange firstCall;
};

/// `load` and `store` coordinates: one entry an axis of the view.
struct CheckedAccess {
  const Symbol *view = nullptr;
  struct Axis {
    const Expr *index = nullptr;       ///< null: from 0 (a whole axis) or `positions`
    const Symbol *positions = nullptr; ///< indexed by a sparse loop's variable
    bool isSlice = false;
    bool isJoined = false; ///< makes the rows together with its neighbour
    Extent length;
    /// Positions that the access takes in the IR; 0: one, without an axis of the tile.
    int64_t size() const { return !isSlice ? 0 : isJoined ? length.value : length.padded(); }
  };
  std::vector<Axis> axes;
  Type type; ///< of the tile, or the scalar where nothing is sliced
};

struct Builtin;

/// A kernel that may be lowered. Thread safety: immutable; any number of threads may read one.
struct CheckedKernel {
  std::shared_ptr<const Module> module, library;
  const KernelDecl *decl = nullptr;
  ParamValues params;
  std::vector<const Symbol *> arguments, dims;
  /// Expressions over the run-time dimensions, in the syntax of runtime/IntExpr.h.
  std::vector<std::string> grid, constraints;
  std::set<const Symbol *> positiveScalars;
  std::vector<std::unique_ptr<HookInstance>> hooks; ///< callees before callers
  std::optional<SchedulePlan> schedule;

  /// The symbol of a NameExpr, or of an Identifier in the tree, by its address.
  const Symbol *symbolOf(const void *node) const { return symbolTable.lookup(node); }
  const Type &typeOf(const Expr &expr) const { return types.find(&expr)->second; }
  const CheckedAccess &accessOf(const Access &access) const { return accesses.find(&access)->second; }
  const HookInstance *hookOf(const CallExpr &call) const { return hookCalls.lookup(&call); }
  const Builtin *builtinOf(const CallExpr &call) const { return builtinCalls.lookup(&call); }
  int64_t stepOf(const ForRangeStmt &loop) const { return steps.lookup(&loop); }
  /// Where the positions of a sparse loop's variable end.
  const AxisExtent &limitOf(const Symbol *positions) const { return limits.find(positions)->second; }

  // The tables, filled by Sema.
  std::deque<Symbol> symbols;
  llvm::DenseMap<const void *, const Symbol *> symbolTable;
  llvm::DenseMap<const Expr *, Type> types;
  llvm::DenseMap<const Access *, CheckedAccess> accesses;
  llvm::DenseMap<const CallExpr *, const HookInstance *> hookCalls;
  llvm::DenseMap<const CallExpr *, const Builtin *> builtinCalls;
  llvm::DenseMap<const ForRangeStmt *, int64_t> steps;
  std::map<const Symbol *, AxisExtent> limits;
  std::map<const PatternDecl *, PatternInstance> patterns;
  /// Texts and trees of options, which ranges and expressions point into.
  std::deque<SourceFile> optionTexts;
  std::vector<std::unique_ptr<PatternDecl>> optionPatterns;
  std::vector<ExprPtr> optionExprs;
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_CHECKEDKERNEL_H
