//===- SemaImpl.h - The checker ---------------------------------*- C++ -*-===//
//
// One walk over the kernel, filling the tables of a CheckedKernel. A check that has reported an error returns an
// invalid type, which later checks accept silently, so that one mistake gives one message.
//
// Names are looked up from the innermost scope outwards, then among the params. A hook is checked where it is first
// called, with the types of that call, in a scope of its own: it sees its parameters, the kernel's run-time dimensions
// and scalar arguments, and the params of the module it is written in.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_SEMAIMPL_H
#define LACUNA_COMPILER_FRONTEND_SEMAIMPL_H

#include "Builtins.h"
#include "lacuna/Compiler/Frontend/AstPrinter.h"
#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Compiler/Frontend/Diagnostics.h"
#include "lacuna/Compiler/Frontend/ParamBinding.h"

#include <fmt/format.h>

namespace lacuna::frontend {

class Sema {
public:
  /// The largest extent of a tile along an axis.
  static constexpr int64_t kMaxTileExtent = 1024;
  /// Levels of the bodies of hooks that call one another, together: the checker recurses over them.
  static constexpr size_t kMaxHookLevels = 1000;
  /// Calls of hooks in a kernel, each with those in the hook that it calls: they are put in one by one.
  static constexpr int64_t kMaxInlinedCalls = 1000;

  Sema(std::shared_ptr<const Module> module, std::shared_ptr<const Module> library,
       const Specialization &specialization);

  /// Runs all checks; false where diagnostics() tells why not.
  bool run();
  DiagnosticSink &diagnostics() { return sink; }
  std::shared_ptr<CheckedKernel> takeResult() { return std::move(result); }

private:
  using Scope = std::map<std::string_view, const Symbol *>;
  /// Where an expression stands; decides what it may name.
  enum class Context { Kernel, Map, Hook, Pattern };
  /// A hook's body: its own, another hook's, or the text of an option.
  struct Replacement {
    const HookDecl *source = nullptr;
    const Expr *body = nullptr;
  };

  // Reports.
  Diagnostic &error(SourceRange range, std::string message) {
    return sink.error(ErrorCode::VerifyError, range, std::move(message));
  }
  Type invalid(SourceRange range, std::string message) {
    error(range, std::move(message));
    return {};
  }

  // The module and the options (Sema.cpp).
  bool checkTopLevelNames(const Module &module);
  const KernelDecl *findKernel();
  ParamBinder::Defaults defaultsOfTarget() const;
  void bindParams();
  void checkHookSettings();
  void replaceHook(const std::string &name, const std::string &text);
  /// The tree of an option's text from `begin` on, by `parse`; what that reports is reported here.
  template <class Parse> auto parseOption(const SourceFile &file, uint32_t begin, Parse parse) {
    DiagnosticSink errors;
    auto tree = parse(file, errors, begin);
    for (const Diagnostic &diagnostic : errors.all())
      sink.error(diagnostic.code, diagnostic.range, diagnostic.message).notes = diagnostic.notes;
    return tree;
  }
  void checkPositiveScalars();

  // Patterns in place of block lists (SemaPattern.cpp).
  bool isBlockList(std::string_view name) const;
  const PatternDecl *findPattern(std::string_view name) const { return findDecl<PatternDecl>(module.get(), name); }
  void replaceList(const std::string &name, const std::string &text);
  PatternInstance *instantiatePattern(const PatternDecl &pattern);
  void checkPattern(const PatternInstance &instance);

  // The kernel's head (SemaKernel.cpp).
  void checkHead();
  void declareArgument(const KernelDecl::Argument &argument, unsigned index);
  void declareView(const KernelDecl::Argument &argument, unsigned index);
  void declareBlocks(const KernelDecl::Argument &argument, unsigned index);
  std::optional<AxisExtent> axisExtent(const Expr &expr);
  void checkGrid();
  /// The text of an expression over dims and params for the host to evaluate; nothing after a report.
  std::optional<std::string> hostText(const Expr &expr, std::string_view what);
  std::optional<std::string> hostName(const NameExpr &name, std::string_view what);

  // Names (SemaKernel.cpp).
  Symbol *newSymbol(Symbol::Kind kind, const Identifier &name, Type type = {});
  /// Makes `symbol` visible in the innermost scope; reports a name that is visible already.
  void declare(const Symbol *symbol, const void *node);
  const Symbol *lookup(std::string_view name) const;
  const Symbol *resolve(const Identifier &name, const void *node, std::string_view what);
  std::vector<std::string> visibleNames() const;
  const ParamDecl *findParam(std::string_view name) const;

  // Types and extents (SemaType.cpp).
  std::optional<ElementType> elementType(const Identifier &name);
  std::optional<Extent> extent(const Expr &expr, std::string_view what);
  std::optional<Extent> tileExtent(const Expr &expr, std::string_view what);
  /// A tile extent that is a multiple of 16: a slice's length or a loop's step.
  std::optional<Extent> sliceLength(const Expr &expr, std::string_view what);
  bool checkMultipleOf16(const Extent &size, SourceRange range, std::string_view what);
  Type valueType(const TypeSyntax &syntax);

  // Statements (SemaStmt.cpp).
  void checkBlock(const Block &block);
  void checkStmt(const Stmt &stmt);
  void checkDeclare(const DeclareStmt &stmt);
  void checkAssign(const AssignStmt &stmt);
  void checkIf(const IfStmt &stmt);
  void checkForBlocks(const ForBlocksStmt &stmt);
  void checkForRange(const ForRangeStmt &stmt);
  void checkDistance(const ForRangeStmt &stmt);
  void checkStore(const StoreStmt &stmt);
  void checkAssignable(const Type &from, const Type &to, const Expr &value, std::string_view what);
  bool checkIndex(const Expr &expr, std::string_view what);

  // Accesses (SemaAccess.cpp).
  /// `stored` is the type of the value that is stored; null: a load.
  const CheckedAccess *checkAccess(const Access &access, const Type *stored);
  bool checkView(const Access &access, const Symbol &view, bool isStore);
  /// The type of what `access` takes; invalid after a report.
  Type accessType(const Access &access, CheckedAccess &checked, const Type *stored);
  std::optional<Extent> joinedRows(const Access &access, const CheckedAccess &checked, size_t outer, size_t inner);
  bool checkSubscript(const Subscript &subscript, const AxisExtent &extent, CheckedAccess::Axis &axis);
  bool checkPositionsIndex(const Symbol &positions, const AxisExtent &extent, SourceRange range);

  // Expressions (SemaExpr.cpp).
  /// Whether what is checked is not part of the kernel: a hook's or a pattern's text.
  bool isOutsideKernel() const { return context == Context::Hook || context == Context::Pattern; }
  std::string_view contextName() const;
  Type check(const Expr &expr);
  Type checkUnrecorded(const Expr &expr);
  Type checkName(const NameExpr &expr);
  Type checkUnary(const UnaryExpr &expr);
  Type checkBinary(const BinaryExpr &expr);
  Type checkSelect(const SelectExpr &expr);
  Type checkCast(const CastExpr &expr);
  Type checkIndexExpr(const IndexExpr &expr);
  Type checkMember(const MemberExpr &expr);
  Type checkLoad(const LoadExpr &expr);
  Type checkMap(const MapExpr &expr);
  Type joined(const Type &lhs, const Type &rhs, ElementType element, SourceRange range, std::string_view what);
  /// Whether arithmetic works on the type; reports where not.
  bool checkArithmetic(const Type &type, SourceRange range, std::string_view what);

  // Calls (SemaCall.cpp, SemaHook.cpp).
  Type checkCall(const CallExpr &expr);
  Type checkBuiltin(const CallExpr &expr, const Builtin &builtin);
  Type checkDot(const CallExpr &expr, const std::vector<Type> &types);
  Type checkReduction(const CallExpr &expr, const Builtin &builtin, const Type &type);
  /// The file's own come first; the library's own calls see the library only.
  const HookDecl *findHook(std::string_view name) const { return findDecl<HookDecl>(currentModule, name); }
  Type checkHookCall(const CallExpr &expr, const HookDecl &hook);
  HookInstance *instantiate(const CallExpr &call, const HookDecl &hook, const std::vector<Type> &types);
  void checkHookBody(HookInstance &instance);
  bool countCall(const CallExpr &call, const HookInstance &instance);
  void capture(const Symbol *symbol);

  // Schedules (SemaSchedule.cpp).
  void checkSchedules();
  void checkSchedule(const ScheduleDecl &schedule);
  void checkScheduleItem(const ScheduleItem &item, SchedulePlan &plan);
  void checkRing(const ScheduleItem &item, SchedulePlan &plan);
  void checkOverlap(const ScheduleItem &item, SchedulePlan &plan);
  void checkTune(const ScheduleItem &item, SchedulePlan &plan);
  void checkConsumers(const ScheduleItem &item, SchedulePlan &plan);
  void declareKnobs(const ScheduleDecl &schedule);
  std::optional<int64_t> scheduleValue(const Expr &expr, int64_t min, int64_t max, std::string_view what);
  std::optional<int64_t> scheduleNumber(const Expr &expr, std::string_view what);
  std::optional<int64_t> scheduleRegisters(const Expr &expr);
  void checkScheduleNames(const Expr &expr, bool tuning);
  void checkIdleItem(const ScheduleItem &item);
  void checkResources(const SchedulePlan &plan, const std::map<ScheduleItem::Kind, const ScheduleItem *> &items);
  void checkUnusedSettings();

  /// A declaration by its name: of `first`, or of the library.
  template <class Decl> const Decl *findDecl(const Module *first, std::string_view name) const {
    for (const Module *searched : {first, static_cast<const Module *>(library.get())})
      for (const Decl *decl : searched->all<Decl>())
        if (decl->name.name == name)
          return decl;
    return nullptr;
  }
  /// The names of all declarations of a kind: the file's, then the library's.
  template <class Decl> std::vector<std::string> declNames() const {
    std::vector<std::string> names;
    for (const Module *searched : {module.get(), library.get()})
      for (const Decl *decl : searched->all<Decl>())
        names.emplace_back(decl->name.name);
    return names;
  }

  std::shared_ptr<const Module> module, library;
  const Specialization &specialization;
  std::shared_ptr<CheckedKernel> result = std::make_shared<CheckedKernel>();
  DiagnosticSink sink;
  ParamBinder binder{result->optionTexts, sink};

  std::map<std::string, std::string> unusedSettings;
  std::map<const HookDecl *, Replacement> replacements;
  std::map<const HookDecl *, HookInstance *> instances;
  std::map<std::string_view, const PatternDecl *> listPatterns; ///< by block list
  std::vector<std::unique_ptr<HookInstance>> pendingHooks;      ///< being checked, outermost first
  std::map<const HookInstance *, int64_t> inlinedCalls;         ///< in its body, so far; null: in the kernel
  std::vector<Scope> scopes;
  const Module *currentModule = nullptr; ///< whose params are visible
  Context context = Context::Kernel;
  std::map<std::string_view, const Stmt *> labels;
  std::map<std::string_view, std::vector<const DeclareStmt *>> declarations; ///< for schedules
  std::map<std::string_view, int64_t> knobs;                                 ///< of the schedule being checked
  bool idleItem = false; ///< the entry being checked has a condition that does not hold
  std::map<const ParamDecl *, const Symbol *> paramSymbols;
  std::map<const Symbol *, SourceRange> limitRanges; ///< where a sparse loop's limit was found
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_SEMAIMPL_H
