#!/usr/bin/env python3
"""Holds the documentation to what the tools do.

    check_docs.py snippets --root SOURCES --bin PROGRAMS    compiles every ```tile block
    check_docs.py commands --root SOURCES --bin PROGRAMS    checks every command of the ```sh blocks
    check_docs.py quotes   --root SOURCES --bin PROGRAMS    checks every ```cpp and ```c block (--fix writes them)

A ```tile block is a whole file: each of its kernels must compile to tile.opt, or to `ast` where it declares none.

    ```tile error     must be refused, with exit status 1
    <!-- tile-frame
    kernel f(x: f32[M]) grid (i: 1) { {{}} }
    -->               from here on, a block that declares no kernel is put in the place of {{}}

A ```sh block is checked line by line: `./dev X` must be a command of ./dev; a subcommand and the options of `lacuna`,
and the options of `lacuna-opt`, must stand in their --help; a path into the sources must exist. ```sh run is executed
as well, in an empty folder with the programs on PATH and $LACUNA_SOURCE set to the sources.

A ```cpp or ```c block is a quotation, `cpp file=PATH#NAME`: what stands in PATH, a file that the build compiles,
between two lines that hold the comment [NAME]. `cpp sketch` is one that is not checked.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```\s*$", re.DOTALL | re.MULTILINE)
FRAME = re.compile(r"<!-- tile-frame\n(?P<frame>.*?)-->", re.DOTALL)
KERNEL = re.compile(r"^\s*kernel\s+(\w+)", re.MULTILINE)
SOURCE_FOLDERS = ("kernels_dsl/", "tests/", "docs/", "examples/", "benchmarks/", "tools/", "cmake/", "scripts/")


def documents(root):
    """The Markdown files of the source tree."""
    return sorted(path for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for path in root.glob(pattern))


def blocks(path):
    """Yields (line, info words, body, frame in force) for every fenced block of a Markdown file."""
    text = path.read_text(encoding="utf-8")
    frames = [(match.start(), match["frame"]) for match in FRAME.finditer(text)]
    for match in FENCE.finditer(text):
        frame = next((text for start, text in reversed(frames) if start < match.start()), "{{}}")
        yield text.count("\n", 0, match.start()) + 1, match["info"].split(), match["body"], frame


def simple_commands(line):
    """Splits a line of shell into its simple commands, each a list of words without leading assignments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    commands = [[]]
    for word in lexer:
        if word and set(word) <= set(";&|"):
            commands.append([])
        elif commands[-1] or not re.match(r"\w+=", word):
            commands[-1].append(word)
    return [command for command in commands if command]


def quotation(root, source):
    """What `file=PATH#NAME` names, without the indentation that all its lines share; nothing where it names nothing."""
    match = re.fullmatch(r"file=([^#]+)#(\w+)", source)
    if not match or not (root / match[1]).is_file():
        return None
    marker = re.compile(rf"^ *(?://|/\*) \[{match[2]}\](?: \*/)?$", re.MULTILINE)
    parts = marker.split((root / match[1]).read_text(encoding="utf-8"))
    return textwrap.dedent(parts[1].lstrip("\n").rstrip(" ")) if len(parts) == 3 else None


def run(command, **options):
    """Runs a command and returns its outputs and status."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


class Checker:
    def __init__(self, root, bin_dir):
        self.root = root
        self.bin_dir = bin_dir
        self.checked = 0
        self.failed = 0
        self.help_texts = {}

    def report(self, path, line, ok, message):
        self.checked += 1
        if not ok:
            self.failed += 1
            print(f"{path.relative_to(self.root)}:{line}: {message}")

    def compile_block(self, path, line, words, text, scratch):
        """Compiles one ```tile block and reports how that went."""
        file = scratch / f"{path.stem}_{line}.tile"
        file.write_text(text, encoding="utf-8")
        kernels = KERNEL.findall(text)
        calls = [["--kernel", name, "--emit", "tile.opt"] for name in kernels] or [["--emit", "ast"]]
        results = [run([self.bin_dir / "lacuna", "compile", file, *call, "-o", "-"]) for call in calls]
        if "error" in words:
            ok = all(result.returncode == 1 and result.stderr.strip() for result in results)
            self.report(path, line, ok, "this snippet should be refused with a message, and is not")
            return
        for result in results:
            self.report(path, line, result.returncode == 0, f"this snippet does not compile:\n{result.stderr}")

    def snippets(self):
        with tempfile.TemporaryDirectory() as scratch:
            for path in documents(self.root):
                for line, words, body, frame in blocks(path):
                    if words[:1] == ["tile"]:
                        text = body if KERNEL.search(body) else frame.replace("{{}}", body)
                        self.compile_block(path, line, words[1:], text, pathlib.Path(scratch))

    def quotes(self, fix):
        for path in documents(self.root):
            text = path.read_text(encoding="utf-8")
            for line, words, body, _ in blocks(path):
                if words[:1] not in (["cpp"], ["c"]) or words[1:] == ["sketch"]:
                    continue
                source = words[1] if len(words) > 1 else ""
                quoted = quotation(self.root, source)
                if fix and quoted is not None:
                    header = f"```{' '.join(words)}\n"
                    text = text.replace(f"{header}{body}```", f"{header}{quoted}```", 1)
                    body = quoted
                self.report(path, line, quoted is not None, f"this block quotes nothing: {source or 'no file'}")
                self.report(path, line, body == quoted, f"this block differs from {source}; quotes --fix copies it")
            if fix:
                path.write_text(text, encoding="utf-8")

    def help_of(self, *command):
        if command not in self.help_texts:
            result = run([str(part) for part in command] + ["--help"])
            self.help_texts[command] = result.stdout + result.stderr if result.returncode == 0 else ""
        return self.help_texts[command]

    def check_command(self, path, line, words):
        """Checks one simple command: its name, subcommand, options and paths."""
        program = pathlib.PurePath(words[0]).name
        for word in words:
            target = word.split("=")[-1]
            if target.startswith(SOURCE_FOLDERS) and not re.search(r"[*{<$]|[A-Z]{4}", target):
                self.report(path, line, (self.root / target).exists(), f"there is no {target}")
        if program == "dev" and len(words) > 1:
            known = re.findall(r"^  (\S+)", self.help_of(self.root / "dev"), re.MULTILINE)
            self.report(path, line, words[1] in known, f"./dev has no command '{words[1]}'")
        if program in ("lacuna", "lacuna-opt"):
            command = [self.bin_dir / program] + (words[1:2] if program == "lacuna" else [])
            if words[1:2] == ["cache"]:  # whose commands have options of their own
                command += words[2:3]
            text = self.help_of(*command)
            self.report(path, line, bool(text), f"'{' '.join(words[:2])} --help' fails")
            for word in words[1:]:
                option = word.split("=")[0]
                if re.match(r"--?[a-z]", option):
                    known = re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text)
                    self.report(path, line, bool(known), f"{' '.join(words[:2])} has no option {option}")

    def commands(self):
        for path in documents(self.root):
            for line, words, body, _ in blocks(path):
                if words[:1] != ["sh"]:
                    continue
                for number, text in enumerate(body.replace("\\\n", "  ").splitlines(), line + 1):
                    for simple in simple_commands(text.strip().removeprefix("$ ")):
                        self.check_command(path, number, simple)
                if "run" in words:
                    self.execute(path, line, body)

    def execute(self, path, line, body):
        """Runs a ```sh run block in an empty folder."""
        with tempfile.TemporaryDirectory() as folder:
            search = f"{self.bin_dir}:/usr/local/bin:/usr/bin:/bin"
            result = run(["bash", "-euo", "pipefail", "-c", body], cwd=folder,
                         env={"PATH": search, "LACUNA_SOURCE": str(self.root), "HOME": folder})
            self.report(path, line, result.returncode == 0, f"these commands fail:\n{result.stdout}{result.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["snippets", "commands", "quotes"])
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--fix", action="store_true", help="quotes: put what the files hold into the documents")
    arguments = parser.parse_args()
    if not (arguments.bin / "lacuna").exists():
        parser.error(f"{arguments.bin} holds no program lacuna: build first")
    checker = Checker(arguments.root.resolve(), arguments.bin.resolve())
    if arguments.what == "quotes":
        checker.quotes(arguments.fix)
    else:
        getattr(checker, arguments.what)()
    print(f"{checker.checked} checks, {checker.failed} failed")
    return 1 if checker.failed else 0


if __name__ == "__main__":
    sys.exit(main())
