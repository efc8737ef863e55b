// Dumps, overrides and reports beside the cache.
#include "CacheTestSupport.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("a dump compiles what is on disk, once a process, and leaves the disk as it is") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  REQUIRE(CachedCompiler(fixture.knobs).disk()->list().size() == 1);
  Knobs dumping = fixture.knobs;
  dumping.dump = fixture.scratch / "dump";
  CachedCompiler compiler(dumping);
  CachedCompilation first = fixture.compile(compiler);
  CHECK(first.source == CacheSource::None);
  CHECK(std::filesystem::exists(dumping.dump + "/" + first.result->metadata.symbol + "/09-cubin.cubin"));
  CHECK(fixture.compile(compiler).source == CacheSource::Memory);
  CHECK(!std::filesystem::exists(dumping.dump + "/" + first.result->metadata.symbol + ".2"));
  CHECK(fixture.compile(CachedCompiler(fixture.knobs)).source == CacheSource::Disk);
}

TEST_CASE("an overridden kernel is never put where others find it") {
  CacheFixture fixture;
  Knobs overriding = fixture.knobs;
  overriding.overrides = fixture.scratch / "edited";
  // The symbol, from a compilation that is not kept.
  Knobs uncached = fixture.knobs;
  uncached.cache = "off";
  const std::string symbol = fixture.compile(CachedCompiler(uncached)).result->metadata.symbol;
  std::filesystem::create_directories(overriding.overrides + "/" + symbol);
  writeFileAt(overriding.overrides + "/" + symbol + "/09-cubin.cubin", "\177ELF edited");
  CHECK(fixture.compile(CachedCompiler(overriding)).result->image == "\177ELF edited");
  CachedCompilation plain = fixture.compile(CachedCompiler(fixture.knobs));
  CHECK(plain.source == CacheSource::None);
  CHECK(plain.result->image == "\177ELF made by 13.0.88");
  CHECK(fixture.compile(CachedCompiler(overriding)).result->image == "\177ELF edited");
}

TEST_CASE("a kernel from the cache has a report, too") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  Knobs reporting = fixture.knobs;
  reporting.report = fixture.scratch / "reports";
  CachedCompilation found = fixture.compile(CachedCompiler(reporting));
  CHECK(found.source == CacheSource::Disk);
  const std::string report = readFile(reporting.report + "/" + found.result->metadata.symbol + ".json");
  CHECK(report.find("\"kernel\": \"scale\"") != std::string::npos);
}

TEST_CASE("with lines, the name of the file is part of the key") {
  const ToolVersions tools{"c", "l", "p", "a", "h"};
  CompileRequest request = scaleRequest();
  auto plain = cacheKeyOf(request, tools, {});
  request.lineInfo = true;
  auto lines = cacheKeyOf(request, tools, {});
  request.fileName = "other.tile";
  auto otherLines = cacheKeyOf(request, tools, {});
  REQUIRE((plain && lines && otherLines));
  CHECK(plain->hex() != lines->hex());
  CHECK(lines->hex() != otherLines->hex());
}
