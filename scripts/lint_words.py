#!/usr/bin/env python3
"""Word rules that no compiler checks: lint_words.py FILE...

  - Nothing in compiler/ and dialects/ knows attention: the word may stand in comments and in the prose of a .td file
    (`[{ ... }]`), never in code, in a string or in a file's name.
  - No loose ends: the markers TODO, FIXME, XXX and HACK are not committed.
  - No source file over 800 lines; no line over 120 columns in TableGen, Python and shell
    (clang-format sees to C++).

Prints `file:line: rule` and exits 1 when a rule is broken.
"""

import pathlib
import re
import sys

CODE = {".cpp", ".h", ".td", ".py", ".sh", ".tile", ".mlir", ".cmake"}
WIDE = {".td", ".py", ".sh"}
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MAX_LINES = 800
MAX_COLUMNS = 120


def blank(match):
    """The text of a comment replaced by its line breaks, so that line numbers stay."""
    return "\n" * match.group(0).count("\n")


def code_only(text, suffix):
    """The file without its comments and, in TableGen, without its prose."""
    if suffix == ".td":
        text = re.sub(r"\[\{.*?\}\]", blank, text, flags=re.DOTALL)
    if suffix == ".txt" or suffix == ".cmake":
        return re.sub(r"#[^\n]*", "", text)
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def check(path):
    """Yields (line, message) for every rule the file breaks."""
    name = str(path)
    suffix = path.suffix
    if suffix not in CODE and path.name != "CMakeLists.txt":
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines()
    if path.parts[0] in ("compiler", "dialects"):
        if "attention" in name.lower():
            yield 1, "a file of the compiler is named after attention"
        for number, line in enumerate(code_only(text, suffix).splitlines(), 1):
            if "attention" in line.lower():
                yield number, "the compiler knows no attention: say it without the word, or in a comment"
    if path.name != "lint_words.py":
        for number, line in enumerate(lines, 1):
            if LOOSE_END.search(line):
                yield number, "a loose end: finish it, or write it into an issue"
    if suffix in WIDE:
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                yield number, f"{len(line)} columns, {MAX_COLUMNS} at most"
    if len(lines) > MAX_LINES:
        yield MAX_LINES, f"{len(lines)} lines, {MAX_LINES} at most: find the seam and split"


def main():
    broken = 0
    for argument in sys.argv[1:]:
        path = pathlib.Path(argument)
        if not path.is_file():
            continue
        for number, message in check(path):
            print(f"{path}:{number}: {message}")
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
