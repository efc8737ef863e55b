#!/usr/bin/env python3
"""`lacuna warm` as a user runs it: test_warm.py --lacuna PATH --fakecuda PATH [unittest options]

The assembler is a script that notes its calls and writes something that begins as an ELF file does; the driver is the
fake one, which loads anything.
"""

import argparse
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

LACUNA = FAKECUDA = ""

PTXAS = """#!/bin/sh
echo "$1" >>'{calls}'
if [ "$1" = --version ]; then echo 'release 13.0, V13.0.88'; exit; fi
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
printf '\\177ELF' >"$out"
"""
LIBRARY = 10  # kernels, at least
LOAD_MS = 50  # all of them, from a warm cache
GENEROUS = 10  # times the bar, on a machine that does other things as well


class WarmTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.calls = self.folder / "calls"
        ptxas = self.folder / "ptxas"
        ptxas.write_text(PTXAS.format(calls=self.calls), encoding="utf-8")
        ptxas.chmod(stat.S_IRWXU)
        self.environment = dict(os.environ, LACUNA_PTXAS=str(ptxas), LACUNA_DRIVER="none.so", LACUNA_CACHE="disk",
                                LACUNA_CACHE_DIR=str(self.folder / "cache"), LACUNA_TUNING="none", LACUNA_LOG="warn")
        self.environment.pop("LACUNA_JIT", None)

    def warm(self, *arguments, status=0, **environment):
        """Runs the command; returns its JSON objects, the last of which has the sums, and what it says."""
        result = subprocess.run([LACUNA, "warm", "--json", *map(str, arguments)], capture_output=True, text=True,
                                env=dict(self.environment, **environment), timeout=300, check=False)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    def assembled(self):
        """How often the assembler was started, for whatever reason."""
        return len(self.calls.read_text(encoding="utf-8").splitlines()) if self.calls.exists() else 0

    def test_library_is_compiled_once_and_serves_elsewhere(self):
        first, _ = self.warm("--library", "--jobs", "2")
        self.assertGreaterEqual(first[-1]["compiled"], LIBRARY)
        self.assertEqual(first[-1]["compiled"], len(first) - 1)
        calls = self.assembled()
        self.assertGreaterEqual(calls, LIBRARY)
        again, _ = self.warm("--library")
        self.assertEqual(again[-1]["in cache"], first[-1]["compiled"])
        # Read-only, at another path, on a machine with a GPU and without that assembler.
        copy = self.folder / "elsewhere" / "kernels"
        shutil.copytree(self.folder / "cache", copy)
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o500 if path.is_dir() else 0o400)
        self.addCleanup(lambda: [path.chmod(0o700) for path in [copy, *copy.rglob("*")]])
        best = min(self.served(copy) for _ in range(5))
        self.assertEqual(self.assembled(), calls)
        self.assertLess(best, GENEROUS * LOAD_MS)

    def served(self, cache):
        """Milliseconds of a start that loads the library from a cache."""
        lines, said = self.warm("--library", LACUNA_JIT="off", LACUNA_CACHE_DIR=str(cache), LACUNA_DRIVER=FAKECUDA,
                                LACUNA_PTXAS="/nowhere/ptxas")
        self.assertEqual(lines[-1]["in cache"], len(lines) - 1)
        self.assertEqual(said, "")
        return lines[-1]["ms"]

    def test_missing_kernels_are_named_and_nothing_is_started(self):
        self.warm("matmul")
        calls = self.assembled()
        for arguments, environment in [(["--check"], {}), ([], {"LACUNA_JIT": "off"})]:
            lines, _ = self.warm("matmul", "attention_forward", "--set", "T=f16", *arguments, status=1, **environment)
            said = "".join(line["error"] for line in lines[:-1])
            self.assertEqual([line["state"] for line in lines[:-1]], ["missing", "missing"])
            self.assertEqual(lines[-1]["missing"], 2)
            self.assertIn("kernel matmul (T = f16) for sm_90a is not in the cache", said)
            self.assertIn("lacuna warm attention_forward --set T=f16", said)
        self.assertEqual(self.assembled(), calls)
        # The command that is named helps.
        self.warm("attention_forward", "--set", "T=f16")
        self.warm("attention_forward", "--set", "T=f16", LACUNA_JIT="off")

    def test_a_list_is_read_as_a_whole(self):
        text = self.folder / "mine.tile"
        text.write_text("kernel twice(x: f32[M, 16], y: out f32[M, 16], n: f32) grid (i: ceildiv(M, 64))\n"
                        "{ store y[i * 64 :+ 64, :] = n * load x[i * 64 :+ 64, :] }\n", encoding="utf-8")
        kernels = self.folder / "kernels.list"
        kernels.write_text("# ours\nmine.tile scalars=any\nmatmul T=f16,bf16\n"
                           '{"library": "attention_forward", "hooks": {"rows": "causal", "keep": "causal"}}\n'
                           "mine.tile target=cpu\n", encoding="utf-8")
        lines, _ = self.warm("--list", kernels)
        self.assertEqual(lines[-1]["compiled"], 5)
        places = {line["place"].rsplit(":", 1)[1]: line["target"] for line in lines[:-1]}
        self.assertEqual(places, {"2": "sm_90a", "3": "sm_90a", "4": "sm_90a", "5": "cpu"})
        kernels.write_text("none\nmatmul\nmatmul BM\n", encoding="utf-8")
        lines, said = self.warm("--list", kernels, status=2)
        self.assertEqual(lines, [])
        self.assertIn(f"{kernels}:1: error: ", said)
        self.assertIn(f"{kernels}:3: error: ", said)
        kernels.write_text("matmul Q=3\nmatmul BM=3\n", encoding="utf-8")
        _, said = self.warm("--list", kernels, status=2)
        self.assertIn(f"{kernels}:1: ", said)
        self.assertIn(f"{kernels}:2: ", said)

    def test_wrong_calls_and_a_cache_of_no_use(self):
        for arguments in [[], ["matmul", "--head-dim", "64"], ["--library", "--set", "D=64"], ["matmul", "--set", "D"],
                          ["nothing"], ["--library", "--head-dim", "4"], ["matmul", "--jobs", "-1"],
                          ["matmul", "--target", "sm_70"], ["matmul", "--gpu", ""],
                          ["matmul", "--processor", "sm_90a"],
                          ["matmul", "--target", "sm_90a", "--processor", "sm_86"]]:
            self.warm(*arguments, status=2)
        _, said = self.warm("--list", self.folder / "none", status=1)
        self.assertIn("there is no such file", said)
        _, said = self.warm("matmul", status=1, LACUNA_CACHE="memory")
        self.assertIn("there is no cache on disk to warm", said)
        _, said = self.warm("matmul", status=1, LACUNA_DUMP=str(self.folder / "dump"))
        self.assertIn("neither LACUNA_DUMP nor LACUNA_OVERRIDE may be set", said)
        _, said = self.warm("matmul", status=2, LACUNA_JIT="perhaps")
        self.assertIn("give on or off", said)
        self.assertEqual(self.assembled(), 0)

    def test_a_gpu_that_is_no_hopper(self):
        ampere = {"LACUNA_DRIVER": FAKECUDA, "LACUNA_FAKECUDA": "capability=8.6;shared=101376", "LACUNA_TARGET": ""}
        for arguments, environment in [([], ampere), (["--processor", "sm_86"], {}),
                                       (["--target", "sm_80", "--processor", "sm_86"], {})]:
            cache = {"LACUNA_CACHE_DIR": str(self.folder / f"cache{len(arguments)}")}
            lines, said = self.warm("matmul", status=1, **cache, **ampere, LACUNA_JIT="off")
            self.assertEqual(lines[0]["target"], "sm_80")
            self.assertIn("lacuna warm matmul --target sm_80", lines[0]["error"])
            self.warm("matmul", *arguments, **cache, **environment)
            lines, _ = self.warm("matmul", **cache, **ampere, LACUNA_JIT="off")
            self.assertEqual(lines[-1]["in cache"], 1)
        _, said = self.warm("matmul", status=2, **ampere | {"LACUNA_TARGET": "sm_75"})
        self.assertIn("give sm_90a or sm_80", said)
        lines, _ = self.warm("matmul", "--check", status=1, LACUNA_TARGET="sm_80")
        self.assertEqual(lines[0]["target"], "sm_80")
        self.warm("matmul", status=2, LACUNA_TARGET="sm_75")

    def test_targets_of_one_gpu_choose_apart(self):
        """What is recorded of an H200 with sm_90a must not reach sm_80, nor the choice for one target the other."""
        for target in ("sm_80", "sm_90a", "sm_80"):
            lines, _ = self.warm("attention_forward", "--set", "D=128", "--gpu", "NVIDIA H200", "--check", "--target",
                                 target, status=1)
            self.assertIn("(BM = 128, BN = 128, D = 128, KB = 128, QB = 128)" if target == "sm_90a" else "(D = 128)",
                          lines[0]["error"])

    def test_the_table(self):
        for state in ("compiled", "in cache"):
            result = subprocess.run([LACUNA, "warm", "matmul"], capture_output=True, text=True, timeout=300,
                                    env=self.environment, check=True)
            self.assertRegex(result.stdout, rf"^{state} +[0-9.]+ ms  matmul\n1 kernels: .*ms\n$")


def main():
    global LACUNA, FAKECUDA
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", required=True)
    parser.add_argument("--fakecuda", required=True)
    arguments, rest = parser.parse_known_args()
    LACUNA, FAKECUDA = (str(pathlib.Path(path).resolve()) for path in (arguments.lacuna, arguments.fakecuda))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
