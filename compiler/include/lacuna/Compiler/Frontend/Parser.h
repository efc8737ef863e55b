//===- Parser.h - From text to a syntax tree --------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_PARSER_H
#define LACUNA_COMPILER_FRONTEND_PARSER_H

#include "lacuna/Compiler/Frontend/AST.h"
#include "lacuna/Compiler/Frontend/Diagnostics.h"

namespace lacuna::frontend {

/// Parses a whole file. `fileName` is for messages. Any bytes are safe: nesting is limited, and after an error the
/// parser goes on at the next statement or declaration. Errors: ParseError, with up to DiagnosticSink::kMaxErrors
/// diagnostics.
Expected<std::shared_ptr<const Module>> parseModule(std::string fileName, std::string text);

/// Parses one expression that fills `file` from `begin` on, such as a hook body given as an option; null where
/// `diagnostics` tells why.
ExprPtr parseExpression(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin = 0);

/// The same for the bands of a pattern, such as `some 0 .. N all 0 .. N`; it has no name and no parameters.
std::unique_ptr<PatternDecl> parsePattern(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin = 0);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_PARSER_H
