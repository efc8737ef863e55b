#!/usr/bin/env python3
"""What ./dev does on each kind of GPU.

    test_dev.py --root DIR --lacuna PATH --fakecuda PATH --list FILE [unittest options]

It runs in an unpacked bundle whose programs print how they are called, but for `lacuna doctor`, which is the real one
on the fake driver.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ARGUMENTS = None

STUB = """#!/bin/sh
echo "called: $(basename "$0") $*"
"""
LACUNA = """#!/bin/sh
[ "$1" != doctor ] || exec '{lacuna}' "$@"
echo "called: lacuna $*"
"""
CARDS = {"A100": "capability=8.0;multiprocessors=108;shared=166912",
         "RTX 3090": "capability=8.6;multiprocessors=82;shared=101376",
         "RTX 4090": "capability=8.9;multiprocessors=128;shared=101376",
         "B200": "capability=10.0;multiprocessors=148",
         "RTX 5090": "capability=12.0;multiprocessors=170;shared=101376",
         "of tomorrow": "capability=13.0;multiprocessors=200"}


class DevTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.tree = pathlib.Path(scratch.name)
        (self.tree / "BUNDLE").write_text("a test\n", encoding="utf-8")
        shutil.copy(ARGUMENTS.root / "dev", self.tree / "dev")
        (self.tree / "tests").mkdir()
        shutil.copy(ARGUMENTS.list, self.tree / "tests" / "gpu-tests.txt")
        (self.tree / "bin").mkdir()
        self.program("lacuna", LACUNA.format(lacuna=ARGUMENTS.lacuna))
        self.lines = [line.split(" ", 1) for line in ARGUMENTS.list.read_text(encoding="utf-8").splitlines()]
        for _, line in self.lines:
            self.program(line.split()[0], STUB)
        self.environment = dict(os.environ, LACUNA_DRIVER=str(ARGUMENTS.fakecuda), LACUNA_CACHE="off")
        self.environment.pop("LACUNA_TARGET", None)

    def program(self, name, text):
        path = self.tree / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def dev(self, *arguments, card="", status=0, **environment):
        """Runs ./dev; returns what it and the programs say."""
        result = subprocess.run([self.tree / "dev", *arguments], capture_output=True, text=True, timeout=60,
                                check=False, env=dict(self.environment, LACUNA_FAKECUDA=card, **environment))
        output = result.stdout + result.stderr
        self.assertEqual(result.returncode, status, output)
        return output

    def called(self, output):
        return [line[len("called: "):].rstrip() for line in output.splitlines() if line.startswith("called: ")]

    def test_every_gpu_test_says_what_it_needs(self):
        self.assertEqual({target for target, _ in self.lines}, {"sm_90a", "sm_80"})

    def test_a_hopper_runs_everything(self):
        output = self.dev("test-gpu")
        self.assertEqual(self.called(output), [line for _, line in self.lines])
        self.assertIn(f"0 tests failed out of {len(self.lines)}; 0 left out", output)

    def test_another_card_runs_the_tests_for_sm_80_and_says_what_is_left_out(self):
        ours = [line for target, line in self.lines if target == "sm_80"]
        for name, card in [*CARDS.items(), ("forced", "")]:
            with self.subTest(name):
                output = self.dev("test-gpu", card=card, **({} if card else {"LACUNA_TARGET": "sm_80"}))
                self.assertEqual(self.called(output), ours)
                self.assertIn(f"out of {len(ours)}; {len(self.lines) - len(ours)} left out", output)
                for target, line in self.lines:
                    if target != "sm_80":
                        self.assertIn(f"Left out, it is for sm_90a and this GPU runs sm_80: {line}", output)

    def test_schedules_are_for_a_hopper(self):
        self.assertEqual(self.called(self.dev("test-gpu", "--schedules", "4")),
                         ["lacuna-numeric-tests --device gpu --schedules 4"])
        output = self.dev("test-gpu", "--schedules", "4", card=CARDS["RTX 4090"], status=1)
        self.assertIn("the schedules are those for sm_90a, and this GPU runs sm_80: Fake GPU, compute capability 8.9",
                      output)
        self.assertEqual(self.called(output), [])

    def test_the_demo_runs_on_every_card_since_ampere(self):
        for name, card in [("H100", ""), *CARDS.items()]:
            with self.subTest(name):
                output = self.dev("demo", "--seed", "7", card=card)
                call, = self.called(output)
                self.assertRegex(call, r"^lacuna attention --device gpu .*--check --bench --seed 7$")
                self.assertNotIn("--target", call) # lacuna chooses
                self.assertIn(f"on the GPU, for {'sm_80' if card else 'sm_90a'}:", output)

    def test_the_demo_runs_on_the_cpu_where_there_is_no_such_card_and_says_why(self):
        for card, why in [("capability=7.5", "Fake GPU, compute capability 7.5"),
                          ("devices=0", "lacuna doctor finds none")]:
            with self.subTest(card):
                output = self.dev("demo", card=card)
                self.assertRegex(self.called(output)[0], "^lacuna attention --device cpu ")
                self.assertIn(f"on the CPU ({why}", output)
        self.assertIn("on the CPU (lacuna doctor finds none)", self.dev("demo", LACUNA_DRIVER="/nowhere/libcuda.so"))

    def test_what_needs_a_gpu_says_so(self):
        for command in ("test-gpu", "sanitize-gpu"):
            for card in ("capability=7.5", "devices=0"):
                with self.subTest(command + " " + card):
                    output = self.dev(command, card=card, status=1)
                    self.assertIn("dev: no GPU that runs our kernels on this machine, which takes compute capability 8",
                                  output)
                    self.assertEqual(self.called(output), [])

    def test_sanitizers_run_on_every_card_since_ampere(self):
        tools = self.tree / "tools"
        tools.mkdir()
        stub = tools / "compute-sanitizer"
        stub.write_text('#!/bin/sh\necho "========= $*"\n', encoding="utf-8")
        stub.chmod(0o755)
        output = self.dev("sanitize-gpu", card=CARDS["RTX 3090"], PATH=f"{tools}:{os.environ['PATH']}")
        self.assertEqual(output.count("========= --tool racecheck"), 3)

    def test_a_failing_test_is_counted(self):
        self.program("lacuna-numeric-tests", "#!/bin/sh\nexit 1\n")
        output = self.dev("test-gpu", card=CARDS["A100"], status=1)
        self.assertIn("0% tests passed, 1 tests failed out of 1;", output)


def main():
    global ARGUMENTS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("root", "lacuna", "fakecuda", "list"):
        parser.add_argument(f"--{name}", required=True, type=lambda path: pathlib.Path(path).resolve())
    ARGUMENTS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
