#include "lacuna/Runtime/Error.h"

#include <doctest/doctest.h>

using namespace lacuna;

namespace {
Expected<int> half(int value) {
  if (value % 2 != 0)
    return makeError(ErrorCode::InvalidArgument, "{} is odd; give an even number", value);
  return value / 2;
}
Expected<int> quarter(int value) {
  Expected<int> result = half(value);
  if (!result)
    return takeError(result);
  return half(*result);
}
} // namespace

TEST_CASE("an Expected carries the value or the error of the callee") {
  CHECK(quarter(8) == 2);
  Expected<int> failed = quarter(6);
  REQUIRE(!failed);
  CHECK(failed.error().code == ErrorCode::InvalidArgument);
  CHECK(failed.error().message == "3 is odd; give an even number");
}

TEST_CASE("render shows location, message, notes and every cause") {
  Error inner{ErrorCode::NotFound, "no such file"};
  Error error = Error{ErrorCode::CompileFailed, "the kernel did not compile"}
                    .at("a.tile:3:7")
                    .withNote("first remark")
                    .causedBy(std::move(inner).at("b.tile:1:1").withNote("inner remark"));
  CHECK(error.render() == "a.tile:3:7: the kernel did not compile\n"
                          "  note: first remark\n"
                          "  because: b.tile:1:1: no such file\n"
                          "    note: inner remark");
}

TEST_CASE("every error code has a name of its own") {
  CHECK(errorCodeName(ErrorCode::InvalidArgument) == "InvalidArgument");
  for (int left = 0; left <= static_cast<int>(ErrorCode::Internal); ++left)
    for (int right = 0; right < left; ++right)
      CHECK(errorCodeName(static_cast<ErrorCode>(left)) != errorCodeName(static_cast<ErrorCode>(right)));
}
