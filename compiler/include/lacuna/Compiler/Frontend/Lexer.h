//===- Lexer.h - From text to tokens ----------------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_LEXER_H
#define LACUNA_COMPILER_FRONTEND_LEXER_H

#include "lacuna/Compiler/Frontend/Diagnostics.h"
#include "lacuna/Compiler/Frontend/Token.h"

#include <vector>

namespace lacuna::frontend {

/// All tokens of `file` from the byte `begin` on, the last one of kind End. Bytes that begin no token are reported
/// (once a run of them) and skipped. Numbers: `12`, `0x1f`, `64KiB`, `2MiB` (integers up to 2^63-1), `1.5`, `2e-3`
/// (floats); `0..4` is `0`, `..`, `4`.
std::vector<Token> tokenize(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin = 0);

/// Whether `text` is a name: a letter or `_`, then letters, digits and `_`, and no reserved word.
bool isIdentifier(std::string_view text);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_LEXER_H
