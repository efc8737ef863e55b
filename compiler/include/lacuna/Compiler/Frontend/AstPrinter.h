//===- AstPrinter.h - Canonical text of a syntax tree -----------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_ASTPRINTER_H
#define LACUNA_COMPILER_FRONTEND_ASTPRINTER_H

#include "lacuna/Compiler/Frontend/AST.h"

namespace lacuna::frontend {

/// The module as canonical `.tile` text, the stage `ast`: two spaces of indentation, one statement a line, only the
/// parentheses that are needed, doc comments kept and other comments dropped. It parses back to a tree that prints the
/// same text.
std::string printModule(const Module &module);

/// One expression as canonical text.
std::string printExpr(const Expr &expr);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_ASTPRINTER_H
