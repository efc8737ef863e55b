// The compiler behind the cache: a request is looked for in memory, then on disk, and only then compiled.
//
//   CachedCompiler compiler;
//   auto compiled = compiler.compile(request);
//   compiled->source;             // where it comes from
//   compiled->result->image;      // to load
//
// Code for the CPU is kept in memory only: nothing that lies on disk is executed on the host.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/DiskCache.h"
#include "lacuna/Runtime/Driver.h"

#include <memory>
#include <optional>
#include <string_view>

namespace lacuna {

/// Where a compiled kernel comes from.
enum class CacheSource {
  None,   ///< compiled now
  Memory, ///< compiled or loaded earlier in this process
  Disk,
};
/// "none", "memory", "disk".
std::string_view cacheSourceName(CacheSource source);

struct CachedCompilation {
  std::shared_ptr<const CompileResult> result; ///< `times` and `texts` are empty where it comes from disk
  CacheSource source = CacheSource::None;
};

/// What the cache has of a request.
struct CacheAnswer {
  std::string kernel;                           ///< its name
  std::optional<CachedCompilation> compilation; ///< nothing: it would have to be compiled
  std::optional<Error> missing;                 ///< then, in words: where it was looked for, what puts it there
};

/// What the key of a request depends on beside the request: the tools, each by what tells its builds apart.
struct ToolVersions {
  std::string compiler, llvm, ptx, assembler, hookLibrary;
};

/// The key of a request: everything that may change the code, and nothing else. Errors: as resolveRequest.
Expected<runtime::CacheKey> cacheKeyOf(const CompileRequest &request, const ToolVersions &tools,
                                       const runtime::Knobs &knobs);

/// A handle: copies share what is in memory. Thread safety: any thread; as many compilations run side by side as there
/// are processors, and hits beside them.
class CachedCompiler {
public:
  /// Takes its settings from the environment at the first compilation.
  CachedCompiler();
  /// With settings of the caller.
  explicit CachedCompiler(const runtime::Knobs &knobs);

  /// Compiles as Compiler::compile, all stages; a request that stops earlier, keeps, dumps or overrides stages is
  /// compiled every time. `driver`, where there is one, is part of the key if it is what assembles.
  /// With LACUNA_JIT=off nothing is compiled, and it does not matter which assembler made what the cache holds.
  /// Errors: as Compiler::compile; InvalidArgument for a knob that cannot be read; Unavailable for a kernel that is
  /// missing with LACUNA_JIT=off, which is named with the command that puts it into the cache.
  Expected<CachedCompilation> compile(const CompileRequest &request, const runtime::Driver *driver = nullptr) const;
  /// What memory or disk has of a request that compiles all stages; never compiles. Errors: those that compile would
  /// find in the text and its specialisation; InvalidArgument for a knob that cannot be read.
  Expected<CacheAnswer> find(const CompileRequest &request, const runtime::Driver *driver = nullptr) const;
  /// Compiles whatever the cache holds, and puts that in its place.
  Expected<CachedCompilation> compileAnew(const CompileRequest &request, const runtime::Driver *driver = nullptr) const;

  /// What LACUNA_CACHE says. Errors: InvalidArgument.
  Expected<runtime::CacheMode> mode() const;
  /// What LACUNA_JIT says. Errors: InvalidArgument.
  Expected<bool> mayCompile() const;
  /// The cache on disk, or null where there is none.
  const runtime::DiskCache *disk() const;

private:
  struct State;
  std::shared_ptr<State> state;
};

} // namespace lacuna
