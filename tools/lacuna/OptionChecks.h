// Options and checks of option values (CLI11 validators: what is wrong, or nothing) that several commands use.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace lacuna::tools {

/// An empty value is a variable that a script did not set, not a wish for the default.
inline std::string refuseEmpty(const std::string &text) {
  return text.empty() ? "its value is empty; give one or leave the option out" : "";
}

/// --trace FILE: LACUNA_TRACE for this command and the processes that it starts, the file begun anew.
inline void addTraceOption(CLI::App &command) {
  command
      .add_option_function<std::string>(
          "--trace",
          [](const std::string &file) {
            std::remove(file.c_str());
            ::setenv("LACUNA_TRACE", file.c_str(), /*overwrite=*/1);
          },
          "write a trace of what takes time in compiling and loading, a JSON file that Perfetto opens")
      ->check(refuseEmpty);
}

} // namespace lacuna::tools
