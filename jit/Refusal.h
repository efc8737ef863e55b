// What is said where a kernel is missing and LACUNA_JIT=off.
#pragma once

#include "lacuna/Compiler/Pipeline/Resolve.h"
#include "lacuna/Runtime/DiskCache.h"

#include <string>

namespace lacuna {

/// "attention_forward (D = 128; keep = causal)": a kernel with what the caller chose.
std::string titleOf(const std::string &kernel, const std::map<std::string, std::string> &params,
                    const std::map<std::string, std::string> &hooks);

/// The words behind `lacuna warm` that put the kernel of `request` into the cache, quoted for a shell.
std::string warmWords(const CompileRequest &request);

/// Unavailable: names the kernel, its target, where it was looked for and why it was not taken from there, and the
/// command that puts it there. `disk` is null where nothing is kept on disk; `compiles` is what LACUNA_JIT says.
Error missingKernel(const CompileRequest &request, const ResolvedRequest &resolved, const runtime::DiskCache *disk,
                    runtime::MissReason reason, bool compiles);

} // namespace lacuna
