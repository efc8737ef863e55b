// A Jit on a GPU that is none, with a cache and an assembler of its own.
#pragma once

#include "CacheTestSupport.h"
#include "fakecuda/FakeDriver.h"

#include "lacuna/Jit/Jit.h"

namespace lacuna {

/// The knobs of a fixture as variables, as Jit reads the environment.
struct JitEnvironment {
  CacheFixture fixture;
  runtime::ScopedVariable mode{"LACUNA_CACHE", "disk"};
  runtime::ScopedVariable directory{"LACUNA_CACHE_DIR", fixture.knobs.cacheDirectory.c_str()};
  runtime::fake::FakeDriver driver;

  Jit open() {
    auto jit = Jit::forDevice(driver.open());
    REQUIRE(jit);
    return *jit;
  }
  const KernelSpec spec = {.file = "scale.tile", .source = kScaleKernel};
};

} // namespace lacuna
