#!/usr/bin/env python3
"""`lacuna tune` as a user runs it, on the CPU, with a small kernel: test_tune.py --lacuna PATH [unittest options]"""

import argparse
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

LACUNA = ""

# Twelve points, of which those with BK = 48 break the constraint; on a CPU the knob `stages` means nothing.
KERNEL = """
param BM in {64, 128} = 64   BN in {64, 128} = 64   BK in {48, 64, 128} = 64   T in {bf16, f16} = bf16
param SLOW in {0, 1} = 0
where BK % 64 == 0

kernel product(a: T[M, K], b: T[K, N], c: out T[M, N])
  grid (i: ceildiv(M, BM), j: ceildiv(N, BN))
{
  var acc: f32[BM, BN] = 0
  for again in 0..(SLOW * BN == 128 ? 200000000 : 1) {
    for k in 0..K by BK {
      acc = dot(load a[i * BM :+ BM, k :+ BK], load b[k :+ BK, j * BN :+ BN], acc)
    }
  }
  store c[i * BM :+ BM, j * BN :+ BN] = acc as T
}

schedule product on sm_90a {
  consumers BM / 64 regs auto
  tune stages in {2, 3}, BM, BN, BK where smem <= 227KiB && regs_fit
}
"""
SHAPE = "M=128 N=128 K=256"
POINTS = 12


class TuneTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)
        self.kernel = self.folder / "product.tile"
        self.kernel.write_text(KERNEL, encoding="utf-8")
        self.database = self.folder / "tuning.db"

    def command(self, *arguments):
        return [LACUNA, "tune", *map(str, arguments), "--device", "cpu", "--database", str(self.database)]

    def run_tune(self, *arguments, status=0):
        result = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def tune(self, *arguments, status=0):
        """Tunes the kernel on the small shape; the events."""
        result = self.run_tune(self.kernel, "--shape", SHAPE, "--budget", "200", *arguments, status=status)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def statuses(self):
        with sqlite3.connect(self.database) as database:
            return dict(database.execute("SELECT point, status FROM point"))

    def test_whole_run(self):
        events = self.tune("--report", self.folder / "report", "--jobs", "2")
        self.assertEqual(events[0]["event"], "start")
        self.assertEqual(events[-1]["event"], "end")
        points = [event for event in events if event["event"] == "point"]
        self.assertEqual(len(points), POINTS)
        dropped = [event for event in points if event["status"] == "dropped"]
        self.assertEqual({event["kind"] for event in dropped}, {"constraint"})
        self.assertEqual(len(dropped), 4)
        self.assertIn("BK = 48", dropped[0]["reason"])
        winners = [event for event in events if event["event"] == "winner"]
        self.assertEqual(len(winners), 1)
        self.assertLessEqual(winners[0]["us"], winners[0]["preset_us"])
        progress = [event for event in events if event["event"] == "progress"]
        self.assertTrue(all(0 <= event["seconds_left"] <= 200 for event in progress))
        self.assertTrue({"analyse", "time", "finals"} <= {event["phase"] for event in progress})
        html = (self.folder / "report" / "index.html").read_text(encoding="utf-8")
        self.assertIn("<svg", html)
        self.assertIn("BM=64", html)
        self.assertEqual(len(self.statuses()), POINTS)

        # All of it is known: nothing is measured again.
        again = self.tune("--resume")
        self.assertEqual([event for event in again if event["event"] in ("point", "winner")], [])

    def test_kill_and_resume(self):
        with subprocess.Popen(self.command(self.kernel, "--shape", SHAPE, "--budget", "200"), stdout=subprocess.PIPE,
                              text=True) as process:
            seen = {}
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "point":
                    seen[event["point"]] = event["status"]
                if "measured" in seen.values():
                    os.kill(process.pid, signal.SIGKILL)
                    break
            process.stdout.close()
            self.assertEqual(process.wait(timeout=60), -signal.SIGKILL)
        before = self.statuses()
        # What was reported was kept, but for the last one, whose commit the kill may have come before.
        kept = {point for point in seen if point in before}
        self.assertGreaterEqual(len(kept), len(seen) - 1)
        self.assertLess(len(before), POINTS + 1)
        events = self.tune("--resume")
        done = [event["point"] for event in events if event["event"] == "point"]
        self.assertEqual(set(done) & set(before), set())
        self.assertEqual(set(done) | set(before), set(self.statuses()))
        self.assertEqual(len(self.statuses()), POINTS)
        self.assertTrue(any(event["event"] == "winner" for event in events))

    def winners(self):
        with sqlite3.connect(self.database) as database:
            return dict(database.execute("SELECT shape, point FROM winner"))

    def test_filled_database_is_kept(self):
        """A run anew that is killed, or that has no time, leaves what an earlier one found."""
        self.tune()
        filled, winners = self.statuses(), self.winners()
        self.assertEqual((len(filled), len(winners)), (POINTS, 1))
        for seconds in (0, 0.2, 0.4, 0.8):
            with subprocess.Popen(self.command(self.kernel, "--shape", SHAPE, "--budget", "200"),
                                  stdout=subprocess.PIPE, text=True) as process:
                process.stdout.readline()  # the run has begun
                time.sleep(seconds)
                process.kill()
                process.stdout.close()
                process.wait(timeout=60)
            self.assertEqual(set(self.statuses()), set(filled))
            self.assertEqual(self.winners().keys(), winners.keys())
        self.run_tune(self.kernel, "--shape", SHAPE, "--budget", "0.05")
        self.assertEqual(set(self.statuses()), set(filled))
        self.assertEqual(self.winners().keys(), winners.keys())

    def start_tune(self, temporary):
        """A run that has measured its first point, with its folder for temporary files."""
        process = subprocess.Popen(self.command(self.kernel, "--shape", SHAPE, "--budget", "200"), text=True,
                                   stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(temporary)})
        for line in process.stdout:
            if '"status":"measured"' in line:
                return process
        self.fail("nothing was measured")

    def test_interrupted_in_order(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.start_tune(temporary) as process:
                self.assertEqual(len(list(temporary.glob("lacuna-tune-*"))), 1)
                process.send_signal(number)
                rest = process.stdout.read()
                self.assertEqual(process.wait(timeout=60), 128 + number)
            self.assertEqual(list(temporary.iterdir()), [])
            self.assertEqual(len(self.winners()), 1)
            self.assertIn("interrupted", rest)
            self.assertNotIn("failed", self.statuses().values())
            self.database.unlink()

    def test_reader_that_goes_away(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        with self.start_tune(temporary) as process:
            process.stdout.close()
            self.assertEqual(process.wait(timeout=60), 128 + signal.SIGPIPE)
        self.assertEqual(list(temporary.iterdir()), [])
        self.assertEqual(len(self.winners()), 1)

    def test_folders_of_the_dead_are_swept(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        with self.start_tune(temporary) as process:
            process.kill()
            process.stdout.close()
        dead, = temporary.glob("lacuna-tune-*")
        with self.start_tune(temporary) as alive:
            alive.send_signal(signal.SIGSTOP)  # it lives, and does not end meanwhile
            self.assertFalse(dead.exists())
            living, = temporary.glob("lacuna-tune-*")
            other = self.folder / "other.db"
            subprocess.run([LACUNA, "tune", str(self.kernel), "--shape", SHAPE, "--device", "cpu", "--database",
                            str(other), "--budget", "0.05"], check=True, capture_output=True, timeout=60,
                           env={**os.environ, "TMPDIR": str(temporary)})
            self.assertTrue(living.exists())  # its owner lives
            alive.kill()
            alive.stdout.close()

    def test_exhaustive(self):
        self.tune()
        events = self.tune("--exhaustive")
        points = [event for event in events if event["event"] == "point"]
        self.assertEqual(sorted(event["status"] for event in points), ["dropped"] * 4 + ["measured"] * 8)
        notes = [event["text"] for event in events if event["event"] == "note"]
        self.assertTrue(any("the earlier winner" in note and "% behind" in note for note in notes), notes)

    def test_hanging_candidate(self):
        events = self.run_tune(self.kernel, "--shape", SHAPE + " SLOW=1", "--budget", "300")
        points = [json.loads(line) for line in events.stdout.splitlines()]
        points = {event["point"]: event for event in points if event["event"] == "point"}
        hung = [event for event in points.values() if event["status"] == "failed"]
        self.assertEqual({event["point"] for event in hung}, {point for point in points if "BN=128" in point
                                                              and "BK=48" not in point})
        self.assertTrue(all("did not end in time" in event["reason"] for event in hung))
        self.assertTrue(any(event["status"] == "measured" for event in points.values()))
        self.assertIn('"event":"winner"', events.stdout)

    def test_budget_too_small(self):
        result = self.run_tune(self.kernel, "--shape", SHAPE, "--budget", "0.05")
        self.assertIn("the budget ended", result.stdout)
        self.assertIn("--resume goes on with them", result.stdout)
        self.tune("--resume")
        self.assertEqual(len(self.statuses()), POINTS)

    def test_nothing_can_run(self):
        result = self.run_tune("attention_forward", "--shape", "M=64 block=16x16", status=1)
        self.assertIn("none of 48 points could be measured: 48 dropped (constraint)", result.stdout)
        result = self.run_tune(self.kernel, "--shape", SHAPE, "--limit", "0.0001", status=1)
        self.assertIn(f"none of {POINTS} points could be measured", result.stdout)
        self.assertIn("did not end in time", result.stdout)
        self.tune("--resume")  # those are tried again
        self.assertEqual(set(self.statuses().values()) - {"dropped"}, {"measured"} |
                         set(self.statuses().values()) & {"lost"})

    def test_shapes_file_with_mistakes(self):
        shapes = self.folder / "shapes.txt"
        shapes.write_text("M=64 N=64 K=64\nM=0 N=1 K=1\nM=64\nM=64 N=64 K=64 Z=1\n", encoding="utf-8")
        result = self.run_tune(self.kernel, "--shapes", shapes, status=1)
        for line in (2, 3, 4):
            self.assertIn(f"{shapes}:{line}: ", result.stderr)
        self.assertNotIn(f"{shapes}:1: ", result.stderr)
        self.run_tune(self.kernel, "--shapes", self.folder / "none.txt", status=1)

    def test_database_damaged_newer_locked(self):
        self.database.write_bytes(b"no database " * 1000)
        self.assertIn("it is damaged", self.run_tune(self.kernel, "--shape", SHAPE, status=1).stderr)
        self.database.unlink()
        self.run_tune("--export", self.folder / "empty.json")
        with sqlite3.connect(self.database) as database:
            database.execute("PRAGMA user_version=99")
        self.assertIn("has form 99", self.run_tune(self.kernel, "--shape", SHAPE, status=1).stderr)
        with sqlite3.connect(self.database) as database:
            database.execute("PRAGMA user_version=1")
        holder = sqlite3.connect(self.database, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        self.assertIn("another process holds its lock", self.run_tune(self.kernel, "--shape", SHAPE, status=1).stderr)
        holder.close()

    def test_export_import_merge(self):
        self.tune()
        exported = self.folder / "records.json"
        self.run_tune("--export", exported)
        first = exported.read_text(encoding="utf-8")
        self.assertEqual(len(json.loads(first)["points"]), POINTS)
        origin, self.database = self.database, self.folder / "other.db"
        self.run_tune("--import", exported, "--export", self.folder / "again.json")
        self.assertEqual((self.folder / "again.json").read_text(encoding="utf-8"), first)
        merged = self.run_tune("--import", origin)  # the other database itself: nothing is new
        self.assertIn("0 records taken", merged.stderr)
        exported.write_text("[]", encoding="utf-8")
        self.assertIn("holds no tuning records", self.run_tune("--import", exported, status=1).stderr)

    def test_wrong_calls(self):
        self.assertIn("the library has no kernel 'nothing'", self.run_tune("nothing", status=2).stderr)
        self.assertIn("'Q' is nothing that product has", self.run_tune(self.kernel, "--shape", "Q=1", status=2).stderr)
        self.assertIn("--budget is -1", self.run_tune(self.kernel, "--budget", "-1", status=2).stderr)
        self.assertIn("--jobs is -2", self.run_tune(self.kernel, "--jobs", "-2", status=2).stderr)
        bare = self.folder / "bare.tile"
        bare.write_text(KERNEL.split("schedule")[0], encoding="utf-8")
        self.assertIn("has nothing to tune", self.run_tune(bare, status=2).stderr)

    def test_worker(self):
        """The worker answers every request, whatever it is, and an assembler that dies costs its request alone."""
        assembler = self.folder / "ptxas"
        assembler.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
        assembler.chmod(0o755)
        job = {"target": "sm_90a", "file": "product.tile", "source": KERNEL, "kernel": "", "hooks": {},
               "params": {"BM": "64", "BN": "64", "BK": "64", "stages": "2"}}
        requests = ["nonsense", "{}", json.dumps({"op": "dance"}), json.dumps({"op": "time", "id": 0, "launches": 1}),
                    json.dumps({"op": "analyze", **job}),
                    json.dumps({"op": "compile", "image": str(self.folder / "image"), **job}),
                    json.dumps({"op": "analyze", **job, "params": {"BK": "48"}})]
        result = subprocess.run([LACUNA, "tune", "--worker"], input="\n".join(requests) + "\n", capture_output=True,
                                text=True, timeout=120, check=True,
                                env={**os.environ, "LACUNA_PTXAS": str(assembler)})
        replies = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([reply.get("error") for reply in replies],
                         ["ParseError", "ParseError", "InvalidArgument", "InvalidArgument", None, "ToolFailed",
                          "InvalidArgument"])
        self.assertIn("there is no operation 'dance'", replies[2]["message"])
        # A ring of two slots of 64x64 for a and for b, 16 bits each, and their barriers.
        self.assertGreater(replies[4]["shared_bytes"], 2 * 2 * 64 * 64 * 2)
        self.assertGreater(replies[4]["fraction"], 0)
        self.assertIn("break this constraint", replies[6]["message"])

    def test_library_attention(self):
        events = self.run_tune("attention_forward", "--shape", "M=64 H=2 G=1 D=16 pattern=causal block=64x64",
                               "--budget", "200").stdout
        self.assertIn('"event":"winner"', events)
        self.assertIn("D=16 DV=16 T=bf16 pattern=causal block=64x64", events)
        # Whoever runs it on such lists gets what was found.
        point = [json.loads(line) for line in events.splitlines() if '"winner"' in line][0]["point"]
        command = [LACUNA, "attention", "--device", "cpu", "--queries", "64", "--keys", "64", "--heads", "2",
                   "--kv-heads", "1", "--head-dim", "16", "--pattern", "causal", "--block", "64x64", "--check",
                   "--pack", "off", "--json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True,
                                env={**os.environ, "LACUNA_TUNING": str(self.database)})
        report = json.loads(result.stdout)
        self.assertTrue(report["tile"].startswith("tuned on "), report["tile"])
        self.assertEqual(point, f"BM={report['params']['BM']} BN={report['params']['BN']}")
        untold = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True,
                                env={**os.environ, "LACUNA_TUNING": "none"})
        self.assertNotIn("tile", json.loads(untold.stdout))


def main():
    global LACUNA
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lacuna", required=True)
    arguments, rest = parser.parse_known_args()
    LACUNA = arguments.lacuna
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
