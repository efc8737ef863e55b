//===- IRGenImpl.h - The generator of tile IR -------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_IRGENIMPL_H
#define LACUNA_COMPILER_FRONTEND_IRGENIMPL_H

#include "Builtins.h"
#include "lacuna/Compiler/Frontend/IRGen.h"
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

namespace lacuna::frontend {

class IRGen {
public:
  IRGen(const CheckedKernel &kernel, mlir::MLIRContext &context) : kernel(kernel), builder(&context) {}

  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  // Functions (IRGen.cpp).
  void genHook(const HookInstance &hook);
  void genFunc();
  mlir::Type argumentType(const Symbol &argument);
  mlir::DictionaryAttr argumentAttrs(const Symbol &argument);
  mlir::Attribute extentAttr(const AxisExtent &extent);
  mlir::DictionaryAttr scheduleAttr();
  /// Makes `name` unlike the symbols of the module so far.
  std::string uniqueSymbol(std::string_view name);
  /// The value of a run-time dimension; its op stands at the function's entry.
  mlir::Value dimValue(const Symbol &dim);
  void enterFunction(mlir::Block *entry);

  // Types and locations.
  mlir::Location location(SourceRange range);
  mlir::Type elementType(ElementType element);
  mlir::Type mlirType(const Type &type);

  // Statements (IRGenStmt.cpp).
  using Carried = llvm::SmallVector<const Symbol *>;
  void genBlock(const Block &block);
  void genStmt(const Stmt &stmt);
  void genIf(const IfStmt &stmt);
  void genForBlocks(const ForBlocksStmt &stmt);
  mlir::Value genBands(const Symbol &list, mlir::ValueRange place, mlir::Location loc);
  void genForRange(const ForRangeStmt &stmt);
  void genStore(const StoreStmt &stmt);
  /// The variables that `block` assigns and that are declared outside, in the order of their first assignment.
  void collectAssigned(const Block &block, Carried &carried);
  llvm::SmallVector<mlir::Value> valuesOf(const Carried &carried);
  void setValues(const Carried &carried, mlir::ValueRange newValues);
  void genAccess(const Access &access, llvm::SmallVectorImpl<mlir::Value> &indices,
                 llvm::SmallVectorImpl<int64_t> &sizes);

  // Expressions (IRGenExpr.cpp).
  mlir::Value gen(const Expr &expr);
  /// The value converted and repeated to `type`.
  mlir::Value genAs(const Expr &expr, const Type &type);
  mlir::Value genName(const NameExpr &expr);
  mlir::Value genUnary(const UnaryExpr &expr);
  mlir::Value genBinary(const BinaryExpr &expr);
  mlir::Value genArithmetic(BinaryOp op, bool isFloat, mlir::Value lhs, mlir::Value rhs, mlir::Location loc);
  mlir::Value genComparison(BinaryOp op, ElementType element, mlir::Value lhs, mlir::Value rhs, mlir::Location loc);
  /// i32 division that is defined for all operands: x / 0 and x % 0 are 0, and the quotient wraps around.
  mlir::Value genDivision(BinaryOp op, mlir::Value lhs, mlir::Value rhs, mlir::Location loc);
  mlir::Value genSelect(const SelectExpr &expr);
  mlir::Value genPartial(const MemberExpr &expr);
  mlir::Value genLoad(const LoadExpr &expr);
  mlir::Value genMap(const MapExpr &expr);
  mlir::Value genPosition(const IndexExpr &expr);

  // Conversions (IRGenExpr.cpp).
  mlir::Value convert(mlir::Value value, const Type &from, const Type &to, mlir::Location loc);
  mlir::Value convertElement(mlir::Value value, ScalarKind from, ScalarKind to, mlir::Location loc);
  mlir::Value broadcast(mlir::Value value, mlir::Type type, mlir::Location loc);
  /// `value` as a constant of the type of `like`.
  mlir::Value constantLike(mlir::Value like, double value, mlir::Location loc);
  mlir::Type withShapeOf(mlir::Value value, mlir::Type element);

  // Calls (IRGenCall.cpp).
  mlir::Value genCall(const CallExpr &expr);
  mlir::Value genBuiltin(const CallExpr &expr, const Builtin &builtin);
  mlir::Value genUnaryFloat(const CallExpr &expr, Builtin::Op op);
  mlir::Value genMinMax(const CallExpr &expr, bool isMax);
  mlir::Value genCeilDiv(const CallExpr &expr);
  mlir::Value genDot(const CallExpr &expr);
  mlir::Value genReduction(const CallExpr &expr, const Builtin &builtin);
  mlir::Value genHookCall(const CallExpr &expr, const HookInstance &hook);
  /// `tile` with `identity` at the positions past the true extents of `type`, on the axes given.
  mlir::Value maskPadding(mlir::Value tile, const Type &type, double identity, llvm::ArrayRef<int> axes,
                          mlir::Location loc);

  const CheckedKernel &kernel;
  mlir::OpBuilder builder;
  mlir::ModuleOp module;
  llvm::DenseMap<const Symbol *, mlir::Value> values; ///< of a variable: the current one
  llvm::DenseMap<const Symbol *, mlir::Value> dims;
  llvm::DenseMap<const HookInstance *, std::string> hookSymbols;
  llvm::DenseMap<const Symbol *, int64_t> ringOf; ///< the ring of a loaded value
  mlir::Block *entry = nullptr;
  mlir::Operation *lastEntryOp = nullptr;
  mlir::Operation *enclosingMap = nullptr;
  std::string_view label;      ///< of the statement being generated
  std::optional<int64_t> ring; ///< of the load being generated
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_IRGENIMPL_H
