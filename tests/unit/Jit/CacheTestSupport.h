// A cache of its own, and an assembler that counts its calls.
#pragma once

#include "Runtime/ScratchDirectory.h"

#include "lacuna/Jit/CachedCompiler.h"

#include <sys/stat.h>

namespace lacuna {

/// A kernel that compiles in a few milliseconds.
inline constexpr const char *kScaleKernel = R"(
param D in {16, 32} = 16
param E in {1, 2} = 1
hook after(v) -> f32 = v
kernel scale(x: f32[M, D], y: out f32[M, D], factor: f32)
  grid (i: ceildiv(M, 64))
{
  store y[i * 64 :+ 64, :] = map (v in (load x[i * 64 :+ 64, :]) * factor) => after(v) * E
}
)";

inline CompileRequest scaleRequest() {
  CompileRequest request;
  request.fileName = "scale.tile";
  request.source = kScaleKernel;
  request.allScalarsPositive = true;
  return request;
}

/// A directory for the cache, and LACUNA_PTXAS set to a script in place of ptxas that notes each call.
struct CacheFixture {
  runtime::ScratchDirectory scratch;
  runtime::ScopedVariable ptxas{"LACUNA_PTXAS", (scratch / "ptxas").c_str()};
  runtime::Knobs knobs;

  CacheFixture() {
    knobs.cacheDirectory = scratch / "cache";
    setAssembler("13.0.88");
  }

  void setAssembler(const std::string &version) {
    runtime::writeFileAt(scratch / "ptxas", "#!/bin/sh\n"
                                            "if [ \"$1\" = --version ]; then\n"
                                            "  echo version >>" +
                                                scratch / "calls" + "\n  echo 'release 13.0, V" + version +
                                                "'; exit\nfi\n"
                                                "echo assemble >>" +
                                                scratch / "calls" +
                                                "\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n"
                                                "printf '\\177ELF made by " +
                                                version + "' >\"$out\"\n");
    REQUIRE(chmod((scratch / "ptxas").c_str(), 0700) == 0);
  }

  /// How often the script was asked to "assemble", or for its "version".
  long calls(const std::string &what) const {
    std::string log = runtime::readFile(scratch / "calls");
    long count = 0;
    for (size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1))
      ++count;
    return count;
  }

  CachedCompilation compile(const CachedCompiler &compiler, const CompileRequest &request = scaleRequest()) const {
    auto compiled = compiler.compile(request);
    REQUIRE_MESSAGE(compiled, compiled.error().render());
    return *compiled;
  }
};

} // namespace lacuna
