// What is behind the handles of the C interface.
#pragma once

#include "Arguments.h"

#include "lacuna/Jit/Jit.h"
#include "lacuna/Runtime/PreparedLaunch.h"

#include <variant>

struct lacuna_jit {
  lacuna::Jit jit;
};

struct lacuna_kernel {
  lacuna::JitKernel kernel;
  lacuna::c::Place place;
  std::string metadata; ///< as JSON
};

struct lacuna_prepared {
  std::variant<lacuna::runtime::PreparedLaunch, lacuna::runtime::PreparedCpuLaunch> launch;
  lacuna::c::Place place;
};
