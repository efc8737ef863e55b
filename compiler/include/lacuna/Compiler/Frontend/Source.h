//===- Source.h - Source texts and places in them ---------------*- C++ -*-===//
//
// A SourceFile is a text with a name: a `.tile` file, the hook library, or the text of a command-line option. Tokens,
// AST nodes and diagnostics point into it by byte offsets, so a place costs 16 bytes and a line number is computed only
// where somebody asks for it.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_SOURCE_H
#define LACUNA_COMPILER_FRONTEND_SOURCE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::frontend {

/// A text and its name. Immutable, neither copied nor moved: names in the AST are views of its text.
/// Thread safety: any number of threads may read one.
class SourceFile {
public:
  /// The largest text that parse() takes, in bytes.
  static constexpr size_t kMaxBytes = size_t(4) << 20;

  SourceFile(std::string name, std::string text);
  SourceFile(const SourceFile &) = delete;
  SourceFile &operator=(const SourceFile &) = delete;

  const std::string &name() const { return fileName; }
  std::string_view text() const { return contents; }

  /// A line and a column, both from 1; the column counts bytes.
  struct Position {
    unsigned line = 1, column = 1;
  };
  Position position(uint32_t offset) const;
  /// The text of a line (from 1), without its end.
  std::string_view line(unsigned number) const;

private:
  std::string fileName, contents;
  std::vector<uint32_t> lineStarts;
};

/// The bytes [begin, end) of a file. A range without a file means "nowhere".
struct SourceRange {
  const SourceFile *file = nullptr;
  uint32_t begin = 0, end = 0;

  bool isValid() const { return file != nullptr; }
  std::string_view text() const { return file ? file->text().substr(begin, end - begin) : std::string_view(); }
  /// The smallest range that holds this one and `other`, which must be of the same file.
  SourceRange to(SourceRange other) const { return {file, begin, other.end > end ? other.end : end}; }
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_SOURCE_H
