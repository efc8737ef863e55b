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

/// What the key of a request depends on beside the request: the tools, each by what tells its builds apart.
struct ToolVersions {
  std::string compiler, llvm, ptx, assembler, hookLibrary;
};

/// The key of a request: everything that may change the code, and nothing else. Errors: as resolveRequest.
Expected<runtime::CacheKey> cacheKeyOf(const CompileRequest &request, const ToolVersions &tools,
                                       const runtime::Knobs &knobs);

/// A handle: copies share what is in memory. Thread safety: any thread; compilations run one after another, hits beside
/// them.
class CachedCompiler {
public:
  /// Takes its settings from the environment at the first compilation.
  CachedCompiler();
  /// With settings of the caller.
  explicit CachedCompiler(const runtime::Knobs &knobs);

  /// Compiles as Compiler::compile, all stages; a request that stops earlier, keeps, dumps or overrides stages is
  /// compiled every time. `driver`, where there is one, is part of the key if it is what assembles.
  /// Errors: as Compiler::compile; InvalidArgument for a knob that cannot be read.
  Expected<CachedCompilation> compile(const CompileRequest &request, const runtime::Driver *driver = nullptr) const;
  /// Compiles whatever the cache holds, and puts that in its place.
  Expected<CachedCompilation> compileAnew(const CompileRequest &request, const runtime::Driver *driver = nullptr) const;

  /// What LACUNA_CACHE says. Errors: InvalidArgument.
  Expected<runtime::CacheMode> mode() const;
  /// The cache on disk, or null where there is none.
  const runtime::DiskCache *disk() const;

private:
  struct State;
  std::shared_ptr<State> state;
};

} // namespace lacuna
