// The name of a specialised kernel: the symbol in its image, which profilers show, and what its files are named by.
#pragma once

#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna {

/// The longest symbol, in characters.
inline constexpr size_t kMostSymbol = 120;

/// What follows the kernel's name in its symbol: the params of the text in their order, and eight digits of a hash over
/// all that the request asks for: "_BM128_BN176_D128_bf16_1f2e3d4c". Letters, digits and underscores. The same
/// everywhere: neither the file's name nor the machine is part of it. Where params do not fit, the last ones go; the
/// hash still tells kernels apart.
std::string symbolSuffix(const frontend::CheckedKernel &kernel, const CompileRequest &request);

/// The kernel's name, cut where the symbol would be too long, and `suffix`.
std::string symbolOf(std::string_view kernel, std::string_view suffix);

/// The symbol of a request, before it is compiled. Of a text at fault: the name that was asked for or of the file, and
/// the hash.
std::string symbolOf(const CompileRequest &request);

} // namespace lacuna
