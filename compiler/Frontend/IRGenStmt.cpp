//===- IRGenStmt.cpp - Statements as tile IR ---------------------------------===//
//
// Variables become SSA values: `values` holds the current one. A loop carries the variables that its body assigns, a
// condition returns them.
//
//===----------------------------------------------------------------------===//

#include "IRGenImpl.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace lacuna;
using namespace lacuna::frontend;
using llvm::cast;

void IRGen::genBlock(const Block &block) {
  for (const auto &stmt : block)
    genStmt(*stmt);
}

void IRGen::genStmt(const Stmt &stmt) {
  label = stmt.label.name;
  switch (stmt.kind) {
  case Stmt::Kind::Declare: {
    const auto &declare = *cast<DeclareStmt>(&stmt);
    const Symbol *symbol = kernel.symbolOf(&declare.name);
    auto inRing = ringOf.find(symbol);
    ring = inRing != ringOf.end() ? std::optional(inRing->second) : std::nullopt;
    values[symbol] = genAs(*declare.value, symbol->type);
    ring.reset();
    return;
  }
  case Stmt::Kind::Assign: {
    const auto &assign = *cast<AssignStmt>(&stmt);
    const Symbol *symbol = kernel.symbolOf(&assign.name);
    values[symbol] = genAs(*assign.value, symbol->type);
    return;
  }
  case Stmt::Kind::If:
    return genIf(*cast<IfStmt>(&stmt));
  case Stmt::Kind::ForBlocks:
    return genForBlocks(*cast<ForBlocksStmt>(&stmt));
  case Stmt::Kind::ForRange:
    return genForRange(*cast<ForRangeStmt>(&stmt));
  case Stmt::Kind::Store:
    return genStore(*cast<StoreStmt>(&stmt));
  }
}

//===----------------------------------------------------------------------===//
// Carried values
//===----------------------------------------------------------------------===//

void IRGen::collectAssigned(const Block &block, Carried &carried) {
  for (const auto &stmt : block) {
    if (const auto *assign = llvm::dyn_cast<AssignStmt>(stmt.get())) {
      const Symbol *symbol = kernel.symbolOf(&assign->name);
      if (values.count(symbol) && !llvm::is_contained(carried, symbol))
        carried.push_back(symbol);
    } else if (const auto *conditional = llvm::dyn_cast<IfStmt>(stmt.get())) {
      collectAssigned(conditional->thenBlock, carried);
      collectAssigned(conditional->elseBlock, carried);
    } else if (const auto *sparse = llvm::dyn_cast<ForBlocksStmt>(stmt.get())) {
      collectAssigned(sparse->body, carried);
    } else if (const auto *dense = llvm::dyn_cast<ForRangeStmt>(stmt.get())) {
      collectAssigned(dense->body, carried);
    }
  }
}

llvm::SmallVector<mlir::Value> IRGen::valuesOf(const Carried &carried) {
  llvm::SmallVector<mlir::Value> result;
  for (const Symbol *symbol : carried)
    result.push_back(values[symbol]);
  return result;
}

void IRGen::setValues(const Carried &carried, mlir::ValueRange newValues) {
  for (auto [symbol, value] : llvm::zip(carried, newValues))
    values[symbol] = value;
}

//===----------------------------------------------------------------------===//
// Conditions and loops
//===----------------------------------------------------------------------===//

void IRGen::genIf(const IfStmt &stmt) {
  mlir::Location loc = location(stmt.range);
  mlir::Value condition = gen(*stmt.condition);
  Carried carried;
  collectAssigned(stmt.thenBlock, carried);
  collectAssigned(stmt.elseBlock, carried);
  llvm::SmallVector<mlir::Value> before = valuesOf(carried);
  bool hasElse = !stmt.elseBlock.empty() || !carried.empty();
  auto op = builder.create<mlir::scf::IfOp>(loc, mlir::ValueRange(before).getTypes(), condition, hasElse);
  auto genBranch = [&](mlir::Region &region, const Block &block) {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block *body = &region.front();
    if (!body->empty())
      body->back().erase(); // the terminator that the builder adds where nothing is returned
    builder.setInsertionPointToEnd(body);
    genBlock(block);
    builder.create<mlir::scf::YieldOp>(loc, valuesOf(carried));
    setValues(carried, before);
  };
  genBranch(op.getThenRegion(), stmt.thenBlock);
  if (hasElse)
    genBranch(op.getElseRegion(), stmt.elseBlock);
  setValues(carried, op.getResults());
}

/// The row of a pattern: its parameters are the place, with the rows of the block in place of its number.
mlir::Value IRGen::genBands(const Symbol &list, mlir::ValueRange place, mlir::Location loc) {
  const PatternInstance &pattern = *list.pattern;
  auto number = [&](int64_t value) { return builder.create<mlir::arith::ConstantIntOp>(loc, value, 32).getResult(); };
  mlir::Value first = builder.createOrFold<mlir::arith::MulIOp>(loc, place[2], number(list.queryBlock.value));
  mlir::Value last = builder.createOrFold<mlir::arith::AddIOp>(loc, first, number(list.queryBlock.value - 1));
  const mlir::Value arguments[] = {place[0], place[1], first, last};
  for (auto [parameter, value] : llvm::zip(pattern.parameters, arguments))
    values[parameter] = value;
  static_assert(PatternDecl::kMaxBands == tile::kMaxBands);
  llvm::SmallVector<mlir::Value> bounds;
  for (const PatternDecl::Band &band : pattern.decl->bands)
    for (const ExprPtr *bound : {&band.someBegin, &band.someEnd, &band.allBegin, &band.allEnd})
      bounds.push_back(*bound ? gen(**bound) : number(0));
  return builder.create<tile::BandsOp>(loc, tile::BandsType::get(builder.getContext(), list.keyBlock.value), bounds);
}

void IRGen::genForBlocks(const ForBlocksStmt &stmt) {
  mlir::Location loc = location(stmt.range);
  const Symbol *positions = kernel.symbolOf(&stmt.variable);
  llvm::SmallVector<mlir::Value> place;
  for (const Subscript &subscript : stmt.list.subscripts)
    place.push_back(gen(*subscript.index));
  const Symbol *list = kernel.symbolOf(&stmt.list.base);
  mlir::Value blocks = list->pattern ? genBands(*list, place, loc) : values[list];
  if (list->pattern)
    place.clear();
  const AxisExtent &limit = kernel.limitOf(positions);
  mlir::Value end = limit.dim ? dimValue(*limit.dim)
                              : builder.create<mlir::arith::ConstantIntOp>(loc, limit.size.value, 32).getResult();
  Carried carried;
  collectAssigned(stmt.body, carried);
  llvm::SmallVector<mlir::Value> inits = valuesOf(carried);
  int64_t step = positions->type.columns.value;
  auto op = builder.create<tile::ForBlocksOp>(loc, mlir::ValueRange(inits).getTypes(), blocks, place, end, inits,
                                              builder.getI64IntegerAttr(step));
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block &body = op.getBody().emplaceBlock();
    values[positions] =
        body.addArgument(tile::PositionsType::get(builder.getContext(), step), location(stmt.variable.range));
    for (mlir::Value init : inits)
      body.addArgument(init.getType(), loc);
    setValues(carried, body.getArguments().drop_front());
    builder.setInsertionPointToEnd(&body);
    genBlock(stmt.body);
    builder.create<tile::YieldOp>(loc, valuesOf(carried));
  }
  setValues(carried, op.getResults());
}

void IRGen::genForRange(const ForRangeStmt &stmt) {
  mlir::Location loc = location(stmt.range);
  mlir::Value begin = gen(*stmt.begin), end = gen(*stmt.end);
  mlir::Value step = builder.create<mlir::arith::ConstantIntOp>(loc, kernel.stepOf(stmt), 32);
  Carried carried;
  collectAssigned(stmt.body, carried);
  auto op = builder.create<mlir::scf::ForOp>(loc, begin, end, step, valuesOf(carried));
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block *body = op.getBody();
    if (!body->empty())
      body->back().erase(); // the terminator that the builder adds where nothing is carried
    values[kernel.symbolOf(&stmt.variable)] = op.getInductionVar();
    setValues(carried, op.getRegionIterArgs());
    builder.setInsertionPointToEnd(body);
    genBlock(stmt.body);
    builder.create<mlir::scf::YieldOp>(loc, valuesOf(carried));
  }
  setValues(carried, op.getResults());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void IRGen::genAccess(const Access &access, llvm::SmallVectorImpl<mlir::Value> &indices,
                      llvm::SmallVectorImpl<int64_t> &sizes) {
  for (const CheckedAccess::Axis &axis : kernel.accessOf(access).axes) {
    if (axis.positions)
      indices.push_back(values[axis.positions]);
    else if (axis.index)
      indices.push_back(gen(*axis.index));
    else
      indices.push_back(builder.create<mlir::arith::ConstantIntOp>(location(access.range), 0, 32));
    sizes.push_back(axis.size());
  }
}

void IRGen::genStore(const StoreStmt &stmt) {
  mlir::Value value = genAs(*stmt.value, kernel.accessOf(stmt.target).type);
  llvm::SmallVector<mlir::Value> indices;
  llvm::SmallVector<int64_t> sizes;
  genAccess(stmt.target, indices, sizes);
  builder.create<tile::StoreOp>(location(stmt.range), value, values[kernel.symbolOf(&stmt.target.base)], indices,
                                builder.getDenseI64ArrayAttr(sizes));
}
