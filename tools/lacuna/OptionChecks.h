// Options and checks of option values (CLI11 validators: what is wrong, or nothing) that several commands use.
#pragma once

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace lacuna::tools {

/// An empty value is a variable that a script did not set, not a wish for the default.
inline std::string refuseEmpty(const std::string &text) {
  return text.empty() ? "its value is empty; give one or leave the option out" : "";
}

/// A whole number from `least` to `most`, by its text: CLI11 would take the nearest that the type holds, or wrap round.
template <class T> auto wholeNumber(T least, T most) {
  return [least, most](const std::string &text) -> std::string {
    T value{};
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
      return "";
    return "it is '" + text + "'; give a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  };
}

/// For a number whose range is checked later: what CLI11 would make the nearest of 64 bits.
inline std::string refuseBeyond64Bits(const std::string &text) {
  int64_t value = 0;
  const bool beyond =
      std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc::result_out_of_range;
  return beyond ? "it is '" + text + "', which 64 bits do not hold; give a smaller number" : "";
}

/// --trace FILE: LACUNA_TRACE for this command and the processes that it starts, the file begun anew.
inline void addTraceOption(CLI::App &command) {
  command
      .add_option_function<std::string>(
          "--trace",
          [](const std::string &file) {
            std::error_code ignored;
            if (std::filesystem::is_regular_file(file, ignored))
              std::filesystem::remove(file, ignored);
            ::setenv("LACUNA_TRACE", file.c_str(), /*overwrite=*/1);
          },
          "write a trace of what takes time in compiling and loading, a JSON file that Perfetto opens")
      ->check(refuseEmpty);
}

} // namespace lacuna::tools
