#include "lacuna/Runtime/IntExpr.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

const std::vector<std::string> kNames = {"B", "H", "M"};
constexpr std::array<int64_t, 3> kValues = {2, 16, 1000};

int64_t value(std::string_view text) {
  Expected<IntExpr> parsed = IntExpr::parse(text, kNames);
  REQUIRE_MESSAGE(parsed, text);
  Expected<int64_t> result = parsed->evaluate(kValues);
  REQUIRE_MESSAGE(result, text);
  return *result;
}

std::string problem(std::string_view text) {
  Expected<IntExpr> parsed = IntExpr::parse(text, kNames);
  if (!parsed)
    return parsed.error().message;
  Expected<int64_t> result = parsed->evaluate(kValues);
  return result ? "none" : result.error().message;
}

} // namespace

TEST_CASE("operators bind as in C++") {
  CHECK(value("1 + 2 * 3 - 4") == 3);
  CHECK(value("(1 + 2) * -3") == -9);
  CHECK(value("7 / 2 * 2 + 7 % 2") == 7);
  CHECK(value("-7 / 2") == -3);
  CHECK(value("-7 % 2") == -1);
  CHECK(value("1 + 1 == 2 && 3 < 4") == 1);
  CHECK(value("0 || 5") == 1);
  CHECK(value("!5 + !0") == 1);
  CHECK(value("1 != 2") == 1);
  CHECK(value("10 - 3 - 2") == 5);
  CHECK(value("2 <= 2 && 2 >= 2 && !(2 < 2) && !(2 > 2)") == 1);
}

TEST_CASE("names and calls") {
  CHECK(value("B * H") == 32);
  CHECK(value("ceildiv(M, 128)") == 8);
  CHECK(value("ceildiv(-7, 2)") == -3);
  CHECK(value("ceildiv(7, -2)") == -3);
  CHECK(value("ceildiv(-7, -2)") == 4);
  CHECK(value("min(B, H) + max(B, H)") == 18);
  CHECK(value("M % H == 8") == 1);
}

TEST_CASE("&& and || leave the undecided side alone") {
  CHECK(value("0 && 1 / 0") == 0);
  CHECK(value("3 || 1 / 0") == 1);
  CHECK(value("1 && 2 && 3") == 1);
  CHECK(value("0 || 0 || 0") == 0);
  CHECK(value("(0 || 2) + (2 && 2)") == 2);
}

TEST_CASE("arithmetic that leaves 64 bits is an error") {
  CHECK(problem("9223372036854775807 + 1") == "'9223372036854775807 + 1' overflows 64 bits");
  CHECK(problem("-9223372036854775807 - 2").find("overflows") != std::string::npos);
  CHECK(problem("M * 9223372036854775807").find("overflows") != std::string::npos);
  CHECK(problem("(-9223372036854775807 - 1) / -1").find("overflows") != std::string::npos);
  CHECK(problem("(-9223372036854775807 - 1) % -1").find("overflows") != std::string::npos);
  CHECK(problem("-(-9223372036854775807 - 1)").find("overflows") != std::string::npos);
  CHECK(problem("M / (B - 2)") == "'M / (B - 2)' divides by zero");
  CHECK(problem("M % (B - 2)") == "'M % (B - 2)' divides by zero");
  CHECK(problem("ceildiv(M, B - 2)") == "'ceildiv(M, B - 2)' divides by zero");
}

TEST_CASE("texts that are no expression are refused with the column") {
  CHECK(problem("") == "in '', column 1: found the end, expected a number, a name, '-', '!' or '('");
  CHECK(problem("1 +") == "in '1 +', column 4: found the end, expected a number, a name, '-', '!' or '('");
  CHECK(problem("(1") == "in '(1', column 3: found the end, expected ')'");
  CHECK(problem("1 2") == "in '1 2', column 3: found '2', expected an operator or the end");
  CHECK(problem("B + X") == "in 'B + X', column 5: 'X' is unknown; known names: B, H, M");
  CHECK(problem("99999999999999999999") == "in '99999999999999999999', column 1: the number does not fit 64 bits");
  CHECK(problem("ceildiv(1)") == "in 'ceildiv(1)', column 10: found ')', expected ','");
  CHECK(problem("1 = 2").find("expected an operator") != std::string::npos);
}

TEST_CASE("deep nesting is refused, long chains are not") {
  CHECK(problem(std::string(1000, '(') + "1" + std::string(1000, ')')).find("nests deeper") != std::string::npos);
  CHECK(problem(std::string(100000, '-') + "1").find("nests deeper") != std::string::npos);
  std::string chain = "1";
  for (int term = 0; term < 10000; ++term)
    chain += " + 1";
  CHECK(value(chain) == 10001);
}
