//===- Error.h - Typed errors and Expected<T> -------------------*- C++ -*-===//
//
// Every fallible function of Lacuna outside IR code returns `Expected<T>`: a value, or an `Error` that says in a
// sentence what was given, what is allowed and what to change. No exception crosses a library boundary.
//
//   Expected<int> parsePort(std::string_view text) {
//     if (text.empty())
//       return makeError(ErrorCode::InvalidArgument, "the port is empty; give a number from 1 to 65535");
//     ...
//   }
//
//   auto port = parsePort(text);
//   if (!port)
//     return tl::unexpected(std::move(port.error()));
//
// Thread safety: an Error is a plain value; distinct objects may be used from distinct threads.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_ERROR_H
#define LACUNA_RUNTIME_ERROR_H

#include <fmt/core.h>
#include <tl/expected.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lacuna {

/// What kind of thing went wrong; a caller decides by it, a person reads the message.
enum class ErrorCode {
  InvalidArgument,   ///< the caller gave something that is not allowed
  ParseError,        ///< text that is not in the language or the file format
  VerifyError,       ///< IR or data that breaks a rule of its own kind
  Unsupported,       ///< meaningful, but not implemented for this target or in this version
  CompileFailed,     ///< a compiler stage refused the program
  ToolFailed,        ///< a child process failed, hung or gave output that we do not understand
  NotFound,          ///< a file, symbol or name that does not exist
  Incompatible,      ///< built for another machine, driver or format version
  ResourceExhausted, ///< over a limit: shared memory, registers, memory, grid
  Unavailable,       ///< the machine lacks it: no driver, no device, no assembler
  Internal,          ///< our own bug
};

/// The name of a code, e.g. "InvalidArgument".
std::string_view errorCodeName(ErrorCode code);

/// A failure: its kind, a sentence, further remarks, where it was found ("file:line:col" or empty) and what caused it.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::vector<std::string> notes = {};
  std::string location = {};
  std::shared_ptr<Error> cause = nullptr;

  /// The whole error as text for a person: location, message, notes and causes, one a line, without a final newline.
  std::string render() const;

  /// This error with another note at its end.
  Error withNote(std::string note) &&;
  /// This error with the place where it was found.
  Error at(std::string place) &&;
  /// This error with the error that led to it.
  Error causedBy(Error origin) &&;
};

/// A value or an Error.
template <class T> using Expected = tl::expected<T, Error>;

/// The failure branch of an Expected, its message made by fmt.
template <class... Args>
[[nodiscard]] tl::unexpected<Error> makeError(ErrorCode code, fmt::format_string<Args...> format, Args &&...args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// Hands the error of `failed` on as the failure of another Expected.
template <class T> [[nodiscard]] tl::unexpected<Error> takeError(Expected<T> &failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}
template <class T> [[nodiscard]] tl::unexpected<Error> takeError(Expected<T> &&failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}

} // namespace lacuna

#endif // LACUNA_RUNTIME_ERROR_H
