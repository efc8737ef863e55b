//===- IRGen.cpp - Kernels and hooks as functions of dialect `tile` ----------===//

#include "IRGenImpl.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace lacuna;
using namespace lacuna::frontend;

Expected<mlir::OwningOpRef<mlir::ModuleOp>> lacuna::frontend::generateTile(const CheckedKernel &kernel,
                                                                           mlir::MLIRContext &context) {
  context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    auto print = [&](mlir::Diagnostic &part, llvm::StringRef kind) {
      stream << (messages.empty() ? "" : "\n");
      if (auto place = llvm::dyn_cast<mlir::FileLineColLoc>(part.getLocation()))
        stream << place.getFilename().getValue() << ':' << place.getLine() << ':' << place.getColumn() << ": ";
      stream << kind << ": " << part;
    };
    print(diagnostic, "error");
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      print(note, "note");
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = IRGen(kernel, context).run();
  if (mlir::succeeded(mlir::verify(*module)))
    return module;
  return makeError(ErrorCode::VerifyError, "{}", stream.str());
}

//===----------------------------------------------------------------------===//
// Types and locations
//===----------------------------------------------------------------------===//

mlir::Location IRGen::location(SourceRange range) {
  SourceFile::Position position = range.file->position(range.begin);
  return mlir::FileLineColLoc::get(builder.getContext(), range.file->name(), position.line, position.column);
}

mlir::Type IRGen::elementType(ElementType element) {
  switch (element.kind) {
  case ScalarKind::BF16:
    return builder.getBF16Type();
  case ScalarKind::F16:
    return builder.getF16Type();
  case ScalarKind::F32:
    return builder.getF32Type();
  case ScalarKind::I32:
    return builder.getI32Type();
  case ScalarKind::Bool:
    return builder.getI1Type();
  }
  return {};
}

mlir::Type IRGen::mlirType(const Type &type) {
  mlir::Type element = elementType(type.element);
  return type.isScalar() ? element : mlir::RankedTensorType::get({type.rows.padded(), type.columns.padded()}, element);
}

mlir::Attribute IRGen::extentAttr(const AxisExtent &extent) {
  if (extent.dim)
    return builder.getStringAttr(extent.dim->name);
  return builder.getI64IntegerAttr(extent.size.value);
}

mlir::Type IRGen::argumentType(const Symbol &argument) {
  if (argument.kind == Symbol::Kind::ScalarArgument)
    return mlirType(argument.type);
  llvm::SmallVector<mlir::Attribute> extents;
  for (const AxisExtent &axis : argument.axes)
    extents.push_back(extentAttr(axis));
  if (argument.kind == Symbol::Kind::View)
    return tile::ViewType::get(builder.getContext(), extents, elementType(argument.type.element));
  return tile::BlocksType::get(builder.getContext(), argument.queryBlock.value, argument.keyBlock.value, extents);
}

mlir::DictionaryAttr IRGen::argumentAttrs(const Symbol &argument) {
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  attributes.push_back(builder.getNamedAttr(tile::kNameAttr, builder.getStringAttr(argument.name)));
  if (argument.isOutput)
    attributes.push_back(builder.getNamedAttr(tile::kOutputAttr, builder.getUnitAttr()));
  if (kernel.positiveScalars.count(&argument))
    attributes.push_back(builder.getNamedAttr(tile::kPositiveAttr, builder.getUnitAttr()));
  return builder.getDictionaryAttr(attributes);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

mlir::OwningOpRef<mlir::ModuleOp> IRGen::run() {
  mlir::OwningOpRef<mlir::ModuleOp> result = mlir::ModuleOp::create(location(kernel.decl->range));
  module = *result;
  hookSymbols.reserve(static_cast<unsigned>(kernel.hooks.size()));
  for (const auto &hook : kernel.hooks)
    genHook(*hook);
  genFunc();
  // Literals that were converted leave their first form behind.
  llvm::SmallVector<mlir::Operation *> unused;
  module.walk([&](mlir::arith::ConstantOp constant) {
    if (constant->use_empty())
      unused.push_back(constant);
  });
  for (mlir::Operation *op : unused)
    op->erase();
  return result;
}

std::string IRGen::uniqueSymbol(std::string_view name) {
  std::string symbol(name);
  for (unsigned i = 1; symbol == kernel.decl->name.name || module.lookupSymbol(symbol); ++i)
    symbol = std::string(name) + "_" + std::to_string(i);
  return symbol;
}

void IRGen::enterFunction(mlir::Block *block) {
  entry = block;
  lastEntryOp = nullptr;
  values.clear();
  dims.clear();
  builder.setInsertionPointToStart(block);
}

mlir::Value IRGen::dimValue(const Symbol &dim) {
  mlir::Value &value = dims[&dim];
  if (value)
    return value;
  mlir::OpBuilder::InsertionGuard guard(builder);
  if (lastEntryOp)
    builder.setInsertionPointAfter(lastEntryOp);
  else
    builder.setInsertionPointToStart(entry);
  auto op = builder.create<tile::DimOp>(location(dim.range), builder.getI32Type(), builder.getStringAttr(dim.name));
  lastEntryOp = op;
  return value = op;
}

void IRGen::genHook(const HookInstance &hook) {
  builder.setInsertionPointToEnd(module.getBody());
  llvm::SmallVector<mlir::Type> inputs;
  llvm::SmallVector<const Symbol *> parameters(hook.parameters.begin(), hook.parameters.end());
  llvm::append_range(parameters, hook.captures);
  for (const Symbol *parameter : parameters)
    inputs.push_back(mlirType(parameter->type));
  std::string symbol = uniqueSymbol(hook.decl->name.name);
  hookSymbols[&hook] = symbol;
  mlir::Location loc = location(hook.source->range);
  auto op = builder.create<tile::HookOp>(loc, builder.getStringAttr(symbol),
                                         mlir::TypeAttr::get(builder.getFunctionType(inputs, mlirType(hook.result))),
                                         /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
  mlir::Block &block = op.getBody().emplaceBlock();
  enterFunction(&block);
  for (const Symbol *parameter : parameters)
    values[parameter] = block.addArgument(mlirType(parameter->type), loc);
  mlir::Value value = genAs(*hook.body, hook.result);
  builder.create<tile::ReturnOp>(loc, value);
}

void IRGen::genFunc() {
  builder.setInsertionPointToEnd(module.getBody());
  llvm::SmallVector<mlir::Type> inputs;
  llvm::SmallVector<mlir::Attribute> argumentAttributes;
  for (const Symbol *argument : kernel.arguments) {
    inputs.push_back(argumentType(*argument));
    argumentAttributes.push_back(argumentAttrs(*argument));
  }
  auto strings = [&](const std::vector<std::string> &texts) {
    llvm::SmallVector<llvm::StringRef> refs(texts.begin(), texts.end());
    return builder.getStrArrayAttr(refs);
  };
  std::vector<std::string> dimNames;
  for (const Symbol *dim : kernel.dims)
    dimNames.emplace_back(dim->name);
  mlir::Location loc = location(kernel.decl->range);
  auto func = builder.create<tile::FuncOp>(
      loc, builder.getStringAttr(kernel.decl->name.name), mlir::TypeAttr::get(builder.getFunctionType(inputs, {})),
      strings(dimNames), strings(kernel.grid), kernel.constraints.empty() ? nullptr : strings(kernel.constraints),
      builder.getArrayAttr(argumentAttributes), /*res_attrs=*/nullptr, scheduleAttr());
  mlir::Block &block = func.getBody().emplaceBlock();
  enterFunction(&block);
  for (auto [argument, type] : llvm::zip(kernel.arguments, inputs))
    values[argument] = block.addArgument(type, location(argument->range));
  for (const KernelDecl::GridAxis &axis : kernel.decl->grid) {
    const Symbol *symbol = kernel.symbolOf(&axis.name);
    auto id = builder.create<tile::ProgramIdOp>(location(axis.name.range), builder.getI32Type(),
                                                builder.getI32IntegerAttr(static_cast<int32_t>(symbol->index)));
    values[symbol] = id;
    lastEntryOp = id;
  }
  genBlock(kernel.decl->body);
  builder.create<tile::ReturnOp>(loc, mlir::ValueRange());
}

mlir::DictionaryAttr IRGen::scheduleAttr() {
  if (!kernel.schedule)
    return nullptr;
  const SchedulePlan &plan = *kernel.schedule;
  llvm::SmallVector<mlir::NamedAttribute> entries;
  auto add = [&](llvm::StringRef name, mlir::Attribute value) { entries.push_back(builder.getNamedAttr(name, value)); };
  add("target", builder.getStringAttr(plan.target));
  if (plan.producerRegs)
    add("producer_regs", builder.getI64IntegerAttr(*plan.producerRegs));
  if (plan.consumers)
    add("consumers", builder.getI64IntegerAttr(*plan.consumers));
  if (plan.consumerRegs)
    add("consumer_regs", builder.getI64IntegerAttr(*plan.consumerRegs));
  llvm::SmallVector<int64_t> depths;
  for (const SchedulePlan::Ring &planned : plan.rings)
    depths.push_back(planned.depth);
  if (!depths.empty())
    add("ring_depths", builder.getDenseI64ArrayAttr(depths));
  llvm::SmallVector<llvm::StringRef> overlapped(plan.overlap.begin(), plan.overlap.end());
  if (!overlapped.empty())
    add("overlap", builder.getStrArrayAttr(overlapped));
  for (auto [flag, name] : {std::pair(plan.pingpong, "pingpong"), std::pair(plan.oneProgram, "one_program"),
                            std::pair(plan.separatePrograms, "separate_programs"), std::pair(plan.noSplit, "no_split")})
    if (flag)
      add(name, builder.getUnitAttr());
  for (auto [word, name] :
       {std::pair<llvm::StringRef, llvm::StringRef>(plan.order, "order"), {plan.epilogue, "epilogue"}})
    if (!word.empty())
      add(name, builder.getStringAttr(word));
  for (auto [index, planned] : llvm::enumerate(plan.rings))
    for (const Symbol *value : planned.values)
      ringOf[value] = static_cast<int64_t>(index);
  return builder.getDictionaryAttr(entries);
}
