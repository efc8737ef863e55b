#!/usr/bin/env python3
"""lacuna-schedules on samples, and on kernels with planted faults, each of which must be told.

test_schedules.py --program PATH --root SOURCES {compile,interpret,tool}
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
ROOT = pathlib.Path()


def has_ptxas():
    """As tests/lit/lit.cfg.py: under CI a missing ptxas is a failure."""
    folder = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "bin" / "ptxas"
    return bool(
        os.environ.get("LACUNA_PTXAS")
        or shutil.which("ptxas")
        or folder.exists()
        or os.environ.get("CI")
        or os.environ.get("LACUNA_REQUIRE_PTXAS")
    )


class Case(unittest.TestCase):
    def run_program(self, *arguments, status=0, cwd=None):
        result = subprocess.run(
            [PROGRAM, *arguments], cwd=cwd or ROOT, capture_output=True, text=True, timeout=500, check=False
        )
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout

    def plant(self, file, *changes):
        """A folder whose kernels_dsl has `file` with the changes (old, new)."""
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        kernels = pathlib.Path(scratch.name) / "kernels_dsl"
        shutil.copytree(ROOT / "kernels_dsl", kernels)
        text = (kernels / file).read_text(encoding="utf-8")
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        (kernels / file).write_text(text, encoding="utf-8")
        return scratch.name


@unittest.skipUnless(has_ptxas(), "there is no ptxas")
class Compile(Case):
    """What the assembler says."""

    def test_sample(self):
        output = self.run_program("40")
        self.assertRegex(output, r"\n40 schedules: \d+ clean, \d+ rejected by the tuner, .* 0 failed, 0 not reached")
        self.assertRegex(output, r"longest compilation: \d+ ms")

    def test_default_that_spills(self):
        folder = self.plant("attention_forward.tile", ("consumers BM / 64 regs auto", "consumers BM / 64 regs 120"))
        output = self.run_program("defaults", "--only", "attention_forward D=64 T=f16", status=1, cwd=folder)
        self.assertRegex(output, r"(?m)^rejected .*\(default\): registers do not suffice: \d+ bytes")
        self.assertIn("NOT CLEAN, and runs without tuning: attention_forward D=64 T=f16", output)

    def test_point_that_does_not_compile(self):
        # The text is right, and ptxas is none.
        fake = pathlib.Path(self.plant("matmul.tile")) / "ptxas"
        fake.write_text("#!/bin/sh\necho 'ptxas fatal : no' >&2\nexit 255\n", encoding="utf-8")
        fake.chmod(0o755)
        environment = {**os.environ, "LACUNA_PTXAS": str(fake)}
        result = subprocess.run(
            [PROGRAM, "2", "--only", "matmul T=f16"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stdout, r"(?m)^failed .*no")
        self.assertRegex(result.stdout, r"\n2 schedules: .* 2 failed")


class Interpret(Case):
    """Results."""

    def test_sample(self):
        output = self.run_program("12", "--interpret")
        self.assertRegex(output, r"\n12 schedules: .* 12 right, 0 wrong, 0 failed, 0 not reached")

    def test_wrong_kernel(self):
        folder = self.plant("block_sparse_matmul.tile", ("= acc as T", "= (acc * 1.5) as T"))
        words = "block_sparse_matmul BM=128 BN=128"
        output = self.run_program("3", "--interpret", "--only", words, status=1, cwd=folder)
        self.assertRegex(output, r"(?m)^wrong .*block_sparse_matmul")


class Tool(Case):
    """The choice of schedules."""

    def test_sample_follows_from_the_seed(self):
        first = self.run_program("8", "--list", "--only", "matmul", "--jobs", "1")
        self.assertEqual(first, self.run_program("8", "--list", "--only", "matmul", "--jobs", "3"))
        self.assertNotEqual(first, self.run_program("8", "--list", "--only", "matmul", "--seed", "2"))
        self.assertEqual(len(first.splitlines()), 9)

    def test_parts_are_all(self):
        only = ("--list", "--only", "block_sparse_matmul T=f16 BM=128 BN=128")
        everything = self.run_program("all", *only).splitlines()[1:]
        parts = [line for part in "123" for line in self.run_program(part + "/3", *only).splitlines()[1:]]
        self.assertEqual(sorted(everything), sorted(parts))
        self.assertEqual(len(set(everything)), len(everything))
        self.assertIn("block_sparse_matmul T=f16 BK=64 BM=128 BN=128 stages=2 (default)", everything)

    def test_points_that_cannot_be(self):
        # Four stages of 256x128 and 128x128 take more shared memory than there is; no tile of 192 divides 128.
        listed = self.run_program("all", "--list", "--only", "block_sparse_matmul T=bf16 KB=128")
        self.assertNotIn("BM=192", listed)
        self.assertNotIn("BK=128 BM=128 BN=256 stages=4", listed)
        self.assertIn("BK=128 BM=128 BN=256 stages=2", listed)

    def test_wrong_calls(self):
        for arguments in (["some"], ["0"], ["3/2"], ["1/"], ["--jobs", "0"], ["--no-such-option"]):
            self.run_program(*arguments, status=2)
        self.run_program("--only", "no-such-kernel", status=1)
        self.run_program("--kernels", "no/such/folder", status=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("part", choices=["compile", "interpret", "tool"])
    options = parser.parse_args()
    PROGRAM, ROOT = os.path.abspath(options.program), options.root
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(globals()[options.part.capitalize()])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
