//===- Diagnostics.cpp - Located messages ---------------------------------===//

#include "lacuna/Compiler/Frontend/Diagnostics.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cassert>

using namespace lacuna;
using namespace lacuna::frontend;

/// Of a longer line only a window around the caret is shown.
static constexpr size_t kMaxShownBytes = 160;

static bool continuesUtf8(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Prints the line of `range` and below it a caret. Control bytes are shown as '?', so that a binary file cannot upset
/// a terminal; a UTF-8 character counts as one column.
static void printLine(llvm::raw_ostream &os, SourceRange range, SourceFile::Position position) {
  std::string_view line = range.file->line(position.line);
  size_t column = std::min<size_t>(position.column - 1, line.size());
  size_t cut = line.size() > kMaxShownBytes && column > kMaxShownBytes / 2 ? column - kMaxShownBytes / 2 : 0;
  line = line.substr(cut, kMaxShownBytes);
  column -= cut;
  std::string indent, marks = "^";
  for (char c : line.substr(0, column))
    if (!continuesUtf8(c))
      indent += c == '\t' ? '\t' : ' ';
  size_t length = range.end > range.begin ? range.end - range.begin : 1;
  for (size_t i = column + 1; i < line.size() && i < column + length; ++i)
    if (!continuesUtf8(line[i]))
      marks += '~';
  for (char c : line)
    os << (static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c);
  os << '\n' << indent << marks << '\n';
}

/// Prints `file:line:col: kind: message`, the line and the caret.
static void print(llvm::raw_ostream &os, const char *kind, SourceRange range, const std::string &message) {
  if (!range.isValid()) {
    os << kind << ": " << message << '\n';
    return;
  }
  SourceFile::Position position = range.file->position(range.begin);
  os << range.file->name() << ':' << position.line << ':' << position.column << ": " << kind << ": " << message << '\n';
  printLine(os, range, position);
}

Diagnostic &DiagnosticSink::error(ErrorCode code, SourceRange range, std::string message) {
  if (full()) {
    overflowed = true;
    dropped.assign(1, Diagnostic{code, range, std::move(message)});
    return dropped.front();
  }
  return diagnostics.emplace_back(Diagnostic{code, range, std::move(message)});
}

std::string DiagnosticSink::render() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const Diagnostic &diagnostic : diagnostics) {
    print(os, "error", diagnostic.range, diagnostic.message);
    for (const DiagnosticNote &note : diagnostic.notes)
      print(os, "note", note.range, note.message);
  }
  if (overflowed)
    os << "note: more errors follow; only the first " << kMaxErrors << " are shown\n";
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

Error DiagnosticSink::toError() const {
  assert(hasErrors() && "an error needs a diagnostic");
  return Error{diagnostics.front().code, render()};
}

std::string lacuna::frontend::didYouMean(std::string_view name, const std::vector<std::string> &candidates) {
  unsigned limit = static_cast<unsigned>(std::min<size_t>(name.size(), 30) + 2) / 3;
  const std::string *best = nullptr;
  unsigned bestDistance = limit + 1;
  if (name.size() < 3 || name.size() > 64)
    return {};
  for (const std::string &candidate : candidates) {
    unsigned distance = llvm::StringRef(name).edit_distance_insensitive(candidate, /*AllowReplacements=*/true, limit);
    if (distance < bestDistance) {
      best = &candidate;
      bestDistance = distance;
    }
  }
  return best ? "; did you mean '" + *best + "'?" : std::string();
}

std::string lacuna::frontend::quotedList(const std::vector<std::string> &names, size_t limit) {
  if (names.empty())
    return "none";
  std::string text;
  size_t shown = names.size() > limit ? limit : names.size();
  for (size_t i = 0; i < shown; ++i) {
    if (i)
      text += i + 1 == names.size() ? " and " : ", ";
    text += "'" + names[i] + "'";
  }
  if (shown < names.size())
    text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}
