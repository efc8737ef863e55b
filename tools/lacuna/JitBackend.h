// Compiles the library's attention kernel for `lacuna attention`.
#pragma once

#include "AttentionBackend.h"

#include "lacuna/Jit/CachedCompiler.h"

namespace lacuna::tools {

class JitBackend final : public AttentionBackend {
public:
  Expected<std::optional<TileAnswer>> chooseTile(const TileQuestion &question) override;
  Expected<CompiledAttention> compile(const AttentionRequest &request) override;

private:
  CachedCompiler compiler;
};

} // namespace lacuna::tools
