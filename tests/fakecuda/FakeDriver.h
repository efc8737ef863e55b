//===- FakeDriver.h - The fake driver in a doctest --------------*- C++ -*-===//

#ifndef LACUNA_TESTS_FAKEDRIVER_H
#define LACUNA_TESTS_FAKEDRIVER_H

#include "fakecuda/FakeCuda.h"

#include "lacuna/Runtime/Device.h"

#include <doctest/doctest.h>

namespace lacuna::runtime::fake {

/// A fresh fake driver for one test; nothing may be alive at its end.
struct FakeDriver {
  FakeDriver() { fake::state() = State(); }
  ~FakeDriver() {
    CHECK(fake::state().leaks() == "");
    CHECK(fake::state().stack.empty());
  }
  Expected<std::shared_ptr<const Driver>> load() { return Driver::fromResolver(resolve, "a fake driver"); }
  /// One of its GPUs.
  Device open(int ordinal = 0) { return Device::open(load().value(), ordinal).value(); }
  State &state = fake::state();
};

} // namespace lacuna::runtime::fake

#endif // LACUNA_TESTS_FAKEDRIVER_H
