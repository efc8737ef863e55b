//===- Diagnostics.h - Located messages -------------------------*- C++ -*-===//
//
// The front end collects its complaints in a DiagnosticSink and goes on, so that one run shows several of them. A
// diagnostic is a sentence that says what was given, what is allowed and what to change; it is shown with
// `file:line:col`, the line and a caret, and may have notes at other places:
//
//   demo.tile:4:11: error: undefined name 'acc2'; did you mean 'acc'?
//     acc = acc2 * r
//           ^~~~
//
// After kMaxErrors the sink is full and drops what follows.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_DIAGNOSTICS_H
#define LACUNA_COMPILER_FRONTEND_DIAGNOSTICS_H

#include "lacuna/Compiler/Frontend/Source.h"
#include "lacuna/Runtime/Error.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::frontend {

/// A remark at another place than the error's own; without a place it is a plain sentence.
struct DiagnosticNote {
  SourceRange range;
  std::string message;
};

struct Diagnostic {
  ErrorCode code;
  SourceRange range;
  std::string message;
  std::vector<DiagnosticNote> notes = {};

  Diagnostic &note(SourceRange where, std::string text) {
    notes.push_back({where, std::move(text)});
    return *this;
  }
  Diagnostic &note(std::string text) { return note({}, std::move(text)); }
};

/// Collects diagnostics. Thread safety: one thread at a time.
class DiagnosticSink {
public:
  static constexpr size_t kMaxErrors = 20;

  /// Records an error; the reference is good until the sink dies. A full sink records nothing and hands out a scratch
  /// diagnostic, so callers need not care.
  Diagnostic &error(ErrorCode code, SourceRange range, std::string message);

  bool hasErrors() const { return !diagnostics.empty(); }
  bool full() const { return diagnostics.size() >= kMaxErrors; }
  /// Whether errors were dropped: nothing more that is found will be shown, so looking further is in vain.
  bool hasDropped() const { return overflowed; }
  size_t size() const { return diagnostics.size(); }
  const std::deque<Diagnostic> &all() const { return diagnostics; }

  /// All diagnostics as a person reads them, without a final newline.
  std::string render() const;
  /// An Error with the code of the first diagnostic and render() as its message; the sink must have errors.
  Error toError() const;

private:
  std::deque<Diagnostic> diagnostics;
  std::deque<Diagnostic> dropped;
  bool overflowed = false;
};

/// "; did you mean 'acc'?" where a candidate is close to `name`, which has three letters or more, else an empty string:
/// to a shorter name every other is close.
std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates);

/// `'a', 'b' and 'c'`; "none" for an empty list. At most `limit` names, then "and N more".
std::string quotedList(const std::vector<std::string> &names, size_t limit = 12);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_DIAGNOSTICS_H
