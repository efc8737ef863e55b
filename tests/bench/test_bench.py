#!/usr/bin/env python3
"""Tests of benchmarks/ that need neither a GPU nor PyTorch: test_bench.py --benchmarks FOLDER --library LIBRARY."""

import argparse
import array
import dataclasses
import json
import math
import pathlib
import random
import struct
import sys
import tempfile
import unittest

parser = argparse.ArgumentParser()
parser.add_argument("--benchmarks", required=True)
parser.add_argument("--library", required=True)
arguments, rest = parser.parse_known_args()
sys.path.insert(0, arguments.benchmarks)

import attention  # noqa: E402
import cases  # noqa: E402
import lists  # noqa: E402
import ours  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
import timing  # noqa: E402


class Lists(unittest.TestCase):
    def kept(self, made, row, key):
        """Whether a row of positions sees a key, from the lists of head 0."""
        partial, full = made.rows[0][row // made.query_block]
        block = key // made.key_block
        return block in full or block in partial and key <= row + made.keys - made.queries

    def test_causal_is_exact(self):
        for queries, keys, block in ((64, 64, (16, 16)), (50, 70, (16, 32)), (33, 40, (32, 16)), (70, 50, (16, 16))):
            made = lists.build("causal", queries, keys, block, heads=3)
            count = 0
            for row in range(queries):
                for key in range(keys):
                    wanted = key <= row + keys - queries
                    count += wanted
                    self.assertEqual(self.kept(made, row, key), wanted, (queries, keys, block, row, key))
            self.assertEqual(made.useful_pairs(3), 3 * count)
            self.assertGreaterEqual(made.pairs(3), made.useful_pairs(3))

    def test_windows_are_exact(self):
        for queries, keys, block, left, sink in ((64, 64, (16, 16), 20, 0), (50, 70, (16, 32), 5, 3),
                                                 (33, 40, (32, 16), 0, 40), (70, 50, (16, 16), 17, 17)):
            made = lists.build(f"window:{left}:{sink}", queries, keys, block, heads=2)
            count = 0
            for row in range(queries):
                for key in range(keys):
                    distance = row + keys - queries - key
                    wanted = distance >= 0 and (distance <= left or key < sink)
                    partial, full = made.rows[0][row // block[0]]
                    kept = key // block[1] in full or key // block[1] in partial and made.sees(row, key)
                    count += wanted
                    self.assertEqual(kept, wanted, (queries, keys, block, left, sink, row, key))
            self.assertEqual(made.useful_pairs(2), 2 * count)
        self.assertEqual(lists.build("window:8", 64, 64, (16, 16), 1).keep(),
                         "j <= i + N - M && (i + N - M - j <= 8 || j < 0)")

    def test_dense_counts_the_matrix(self):
        made = lists.build("dense", 100, 1000, (64, 176), heads=4)
        self.assertEqual(made.pairs(4), 4 * 100 * 1000)
        self.assertEqual(made.useful_pairs(4), made.pairs(4))

    def test_densities(self):
        for pattern in ("random:0.1", "paired:0.1", "shared:0.1", "powerlaw:0.1", "causal-random:0.25"):
            made = lists.build(pattern, 8192, 8192, (128, 128), heads=4)
            self.assertAlmostEqual(made.density(), float(pattern.split(":")[1]), delta=0.01, msg=pattern)
            for head in made.rows:
                for partial, full in head:
                    self.assertTrue(partial or full)
                    for part in (partial, full):
                        self.assertEqual(part, sorted(set(part)))
                    self.assertFalse(set(partial) & set(full))

    def test_what_is_shared(self):
        paired = lists.build("paired:0.1", 4096, 4096, (64, 64), heads=2).rows[0]
        self.assertEqual(paired[0::2], paired[1::2])
        self.assertEqual(len(lists.build("shared:0.1", 4096, 4096, (64, 64), heads=2).rows), 1)
        self.assertEqual(len(lists.build("random:0.1", 4096, 4096, (64, 64), heads=2).rows), 2)

    def test_power_law_is_uneven_and_keeps_the_total(self):
        made = lists.build("powerlaw:0.1", 32768, 32768, (128, 128), heads=1)
        lengths = sorted(len(full) for _, full in made.rows[0])
        self.assertEqual(sum(lengths), round(0.1 * 256 * 256))
        self.assertGreater(lengths[-1], 4 * 25.6)
        self.assertLess(lengths[len(lengths) // 2], 0.75 * 25.6)

    def test_csr(self):
        made = lists.BlockLists(64, 64, 32, 32, [[([1], [0]), ([], [1])]])
        self.assertEqual([list(part) for part in made.csr()], [[0, 2, 3], [1, 2], [1, 0, 1]])

    def test_refusals(self):
        for pattern in ("random", "random:0", "random:2", "ring:1", "window:x"):
            with self.assertRaises(ValueError):
                lists.build(pattern, 64, 64, (32, 32), heads=1)


class FakeClock:
    """A clock whose contenders take the seconds they say, times a drift that falls on all alike."""

    def __init__(self, drift=0.0, host=1e-6):
        self.drift, self.host, self.slots, self.leads = drift, host, [], []

    def slot(self, run, count, lead):
        self.slots.append(run)
        self.leads.append(lead)
        return run() * (1 + self.drift * len(self.slots))

    def host_seconds(self, run, count):
        return self.host


class Timing(unittest.TestCase):
    def test_each_round_has_everyone_and_the_order_changes(self):
        orders = [timing.order(["a", "b", "c"], round_) for round_ in range(14)]
        for names in orders:
            self.assertEqual(sorted(names), ["a", "b", "c"])
        self.assertEqual({names[0] for names in orders}, {"a", "b", "c"})
        self.assertGreater(len({tuple(names) for names in orders}), 3)

    def test_drift_does_not_favour_anyone(self):
        # The clock slows by 0.5 % a slot. One after the other, the second would seem 8 % slower; in turns it does not.
        clock = FakeClock(drift=0.005)
        times = timing.measure({"a": lambda: 1e-3, "b": lambda: 1e-3 + 1e-12}, clock, rounds=16, warm_seconds=0)
        self.assertAlmostEqual(times["a"].median_us / times["b"].median_us, 1, delta=0.01)
        self.assertEqual(len(clock.slots), 2 + 2 * 16)

    def test_median_and_quartiles(self):
        result = timing.summarise([1e-3, 2e-3, 3e-3, 4e-3, 100e-3], 7)
        self.assertAlmostEqual(result.median_us, 3000)
        self.assertAlmostEqual(result.low_us, 2000)
        self.assertAlmostEqual(result.high_us, 4000)
        self.assertEqual((result.rounds, result.launches), (5, 7))
        self.assertAlmostEqual(timing.summarise([1e-3], 2).high_us, 1000)

    def test_a_slow_host_gets_ahead_for_everyone(self):
        clock = FakeClock(host=100e-6)
        timing.measure({"short": lambda: 20e-6, "long": lambda: 1e-3}, clock, rounds=2, warm_seconds=0)
        self.assertEqual(len(set(clock.leads[2:])), 1)
        self.assertGreater(clock.leads[-1], 100e-6)
        clock = FakeClock(host=1e-6)
        timing.measure({"long": lambda: 1e-3}, clock, rounds=2, warm_seconds=0)
        self.assertEqual(set(clock.leads), {0})

    def test_the_host_has_a_time_of_its_own(self):
        times = timing.measure({"long": lambda: 1e-3}, FakeClock(host=3e-6), rounds=2, warm_seconds=0)
        self.assertAlmostEqual(times["long"].host_us, 3)
        self.assertAlmostEqual(times["long"].median_us, 1000)

    def test_no_contender(self):
        self.assertEqual(timing.measure({}, FakeClock()), {})


def fake_data():
    """What a run of the table would have given: ours at 660 TFLOP/s, cuDNN at 600, FlexAttention at 400."""
    kernel = {"params": {"BM": 128, "BN": 176, "D": 128, "stages": 2}, "threads": 384, "shared_bytes": 212992}
    rows = []
    for case in cases.table():
        row = report.row(case, case.lists()) if case.queries <= 16384 else report.row(case, case.lists((1024, 1024)))
        rates = {"ours": 660.0, "wide": 670.0, "flex-list": 400.0}
        if case.free_block():
            rates["cudnn"] = 600.0 if case.head_dim != 64 else 650.0
        for name, rate in rates.items():
            microseconds = row["executed"] / rate / 1e6
            host = 20 if case.name == "decode-1x32k-gqa8" else 0
            measured = timing.Timing(microseconds, microseconds * 0.99, microseconds * 1.01, 15, 4, host)
            report.add(row, name, measured, 2e-3,
                       kernel if name in ("ours", "wide") else None)
        row["companions"] = {demand.rival.removeprefix("case:"): {"tflops": 660.0} for demand in case.demands
                             if demand.rival.startswith("case:")}
        rows.append(row)
    rows[0]["results"]["fa3"] = {"failed": "RuntimeError: no kernel image"}
    return {"machine": "a machine", "method": "a method", "ours": "ours", "missing": {"flashinfer": "not installed"},
            "limits": {"data sheet": 989.0}, "rows": rows}


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = fake_data()

    def verdict(self, case, rival):
        return next(v for v in report.judge(self.data["rows"]) if (v["case"], v["rival"]) == (case, rival))

    def test_verdicts(self):
        passed = self.verdict("dense-16k-d128", "cudnn")
        self.assertAlmostEqual(passed["reached"], 1.1, places=6)
        self.assertFalse(self.verdict("dense-16k-d64", "cudnn")["passed"])
        self.assertTrue(self.verdict("random10-32k-d128", "flex-list")["passed"])
        self.assertAlmostEqual(self.verdict("random10-32k-d128", "case:dense-16k-d128")["reached"], 1, places=6)

    def test_what_was_not_measured_does_not_pass(self):
        rows = [dict(row, companions={}) for row in self.data["rows"] if row["case"]["name"] == "uneven10-32k-d128"]
        verdict, = report.judge(rows)
        self.assertIsNone(verdict["reached"])
        self.assertFalse(verdict["passed"])

    def test_markdown(self):
        text = report.markdown(self.data)
        table = [line for line in text.splitlines() if line.startswith("| ")]
        self.assertEqual({line.count("|") for line in table}, {table[0].count("|")})
        self.assertTrue(table[0].startswith("| case | density | ours | wide |"), table[0])
        first = next(line for line in table if "dense-16k-d64" in line)
        self.assertIn("1.015 FAIL", first)
        self.assertIn("128x176, stages=2, 384 threads, 208 KiB", first)
        for part in ("RuntimeError: no kernel image", "flashinfer: not installed",
                     "data sheet 989", "causal-16k-d128: ours"):
            self.assertIn(part, text)
        hosted = text[text.index("Microseconds that enqueuing takes"):]
        self.assertIn("- decode-1x32k-gqa8: ours 20 of ", hosted)
        self.assertNotIn("dense-16k", hosted[:hosted.index("Failed:")])

    def test_files_and_plot(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            report.write(dict(self.data), folder)
            read = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            self.assertEqual(len(read["demands"]), sum(len(case.demands) for case in cases.table()))
            by_density, by_length = plot.panels(read["rows"])
            curves = {label: values for label, _, _, values in by_density[2]}
            self.assertEqual(len(curves["ours"]), 5)  # 5, 10, 25, 50 % and dense
            self.assertEqual(curves["ours"][-1][0], 1.0)
            curves = {label: values for label, _, _, values in by_length[2]}
            self.assertEqual([x for x, _ in curves["ours, dense"]], [2048, 4096, 8192, 16384, 32768])
            try:
                plot.draw(read, folder / "plot.png")
            except ImportError:
                return
            self.assertEqual((folder / "plot.png").read_bytes()[:4], b"\x89PNG")


class Arguments(unittest.TestCase):
    def test_variants(self):
        parsed = attention.parse_arguments(["--param", "stages=3", "--variant", "wide: BN=176 KB=176 LACUNA_X=1",
                                            "--only", "^dense-16k-d128$"])
        base, from_lists, wide = parsed.variants
        library = ours.Library(arguments.library, -1)
        self.assertEqual((base.name, base.params), ("ours", ("stages=3",)))
        self.assertEqual((wide.params, wide.environment), (("stages=3", "BN=176", "KB=176"), (("LACUNA_X", "1"),)))
        case, = parsed.cases
        self.assertEqual(wide.block(case, library), (128, 176))
        self.assertEqual(base.block(dataclasses.replace(case, pattern="causal"), library), (128, 176))
        self.assertEqual(base.block(dataclasses.replace(case, pattern="window:64:4", head_dim=64), library), (128, 128))
        self.assertTrue(base.synthesises(case))
        self.assertFalse(from_lists.synthesises(case))
        listed = next(case for case in cases.table() if case.name == "random10-32k-d128")
        self.assertEqual(wide.block(listed, library), (128, 128))
        self.assertFalse(base.synthesises(listed))
        self.assertIsNone(ours.Ours(None, library, from_lists).refuses(case))
        self.assertIn("in memory anyway", ours.Ours(None, library, from_lists).refuses(listed))
        with self.assertRaises(ValueError):
            ours.Variant.parse("x", ["lists=formula"])

    def test_parts(self):
        parsed = attention.parse_arguments(["--variant", "auto: split=auto", "--variant", "eight: split=8 BN=64"])
        self.assertEqual([variant.split for variant in parsed.variants], [None, None, 0, 8])
        self.assertEqual(parsed.variants[3].params, ("BN=64",))
        dense = next(case for case in cases.table() if case.name == "few-128x128k")
        self.assertEqual([variant.synthesises(dense) for variant in parsed.variants], [True, False, False, False])
        decode = next(case for case in cases.table() if case.name == "decode-16x32k-gqa8")
        self.assertEqual([variant.parts(decode) for variant in parsed.variants], [0, 0, 0, 8])
        self.assertFalse(parsed.variants[0].synthesises(decode))
        self.assertIsNone(ours.Variant.parse("packed", ["R=8", "L=8"]).parts(decode))
        self.assertIsNotNone(ours.Ours(None, None, parsed.variants[1]).refuses(decode))
        for wrong in (["split=many"], ["split="], ["split=2", "source=x.tile"]):
            with self.assertRaises(ValueError):
                ours.Variant.parse("wrong", wrong)

    def test_a_case_of_ones_own(self):
        parsed = attention.parse_arguments(["--case", "mine random:0.2 64x1024 8 2 64 f16 64x32"])
        case, = parsed.cases
        self.assertEqual((case.queries, case.keys, case.kv_heads, case.block), (64, 1024, 2, (64, 32)))

    def test_names_are_unique_and_known(self):
        names = [case.name for case in cases.table()]
        self.assertEqual(len(names), len(set(names)))
        for case in cases.table():
            for demand in case.demands:
                kind, _, other = demand.rival.partition(":")
                self.assertTrue(kind in ("cudnn", "flex-list", "ours-lists") or other in names, demand)


def to_bf16(value):
    bits, = struct.unpack("<I", struct.pack("<f", value))
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16


def from_bf16(pattern):
    return struct.unpack("<f", struct.pack("<I", pattern << 16))[0]


class Native(unittest.TestCase):
    """The library on the CPU: the same calls that drive a GPU."""

    QUERIES, KEYS, HEADS, WIDTH = 96, 160, 2, 16

    @classmethod
    def setUpClass(cls):
        cls.library = ours.Library(arguments.library, -1)

    def address(self, values):
        return values.buffer_info()[0]

    def attend(self, made, pattern=None, splits=None, params=(), kv_heads=HEADS):
        """O and its float64 reference, flat lists over (head, query, column); `pattern`: computed in place of the
        lists; `splits`: planned in so many parts."""
        random_ = random.Random(3)
        shape = {"q": (self.HEADS, self.QUERIES), "k": (kv_heads, self.KEYS), "v": (kv_heads, self.KEYS)}
        data = {name: array.array("H", (to_bf16(random_.gauss(0, 1)) for _ in range(heads * length * self.WIDTH)))
                for name, (heads, length) in shape.items()}
        o = array.array("H", [0x7fff] * len(data["q"]))
        lse = array.array("f", [math.nan] * (self.HEADS * self.QUERIES))
        views = {name: ours.tensor(self.address(data[name]), "bf16", [1, *extents, self.WIDTH])
                 for name, extents in shape.items()}
        parts = made.csr() if pattern is None else [array.array("i", [0])] * 3
        listed = ours.block_lists(*map(self.address, parts), len(made.rows), made.row_blocks(), len(parts[2]))
        outputs = (ours.tensor(self.address(o), "bf16", [1, self.HEADS, self.QUERIES, self.WIDTH]),
                   ours.tensor(self.address(lse), "f32", [1, self.HEADS, self.QUERIES]))
        block = made.query_block, made.key_block
        if splits is None:
            kernel = self.library.compile_attention(self.WIDTH, "bf16", block, params, made.keep(), pattern=pattern)
            launch = kernel.bind(views["q"], views["k"], views["v"], listed, *outputs, 0.25)
            launch()
        else:
            plan = self.library.plan(views["q"], views["k"], listed, splits, self.WIDTH, "bf16", block,
                                     keep=made.keep())
            self.assertEqual(plan.description["params"]["splits"], max(splits, 1))
            self.assertEqual(plan.description["params"]["R"], self.HEADS // kv_heads)
            memory = array.array("b", bytes(plan.workspace_bytes + 64))
            launch = plan.bind(views["q"], views["k"], views["v"], *outputs, 0.25, -(-self.address(memory) // 64) * 64)
            launch()
        floats = {name: [from_bf16(value) for value in values] for name, values in data.items()}
        return [from_bf16(value) for value in o], self.reference(made, floats, kv_heads)

    def reference(self, made, data, kv_heads):
        expected = []
        for head in range(self.HEADS):
            group = head * kv_heads // self.HEADS
            for i in range(self.QUERIES):
                partial, full = made.rows[head % len(made.rows)][i // made.query_block]
                q = data["q"][(head * self.QUERIES + i) * self.WIDTH:][:self.WIDTH]
                weights = {}
                for j in range(self.KEYS):
                    block, seen = j // made.key_block, made.sees(i, j)
                    if block in full or block in partial and seen:
                        k = data["k"][(group * self.KEYS + j) * self.WIDTH:][:self.WIDTH]
                        weights[j] = math.exp(0.25 * sum(x * y for x, y in zip(q, k)))
                total = sum(weights.values())
                for column in range(self.WIDTH):
                    expected.append(sum(weight * data["v"][(group * self.KEYS + j) * self.WIDTH + column]
                                        for j, weight in weights.items()) / total)
        return expected

    def check(self, pattern, synthesised=False, **options):
        made = lists.build(pattern, self.QUERIES, self.KEYS, (64, 32), self.HEADS)
        actual, expected = self.attend(made, pattern if synthesised else None, **options)
        error = math.sqrt(sum((x - y) ** 2 for x, y in zip(actual, expected)) / sum(y * y for y in expected))
        self.assertLess(error, 4e-3, pattern)

    def test_causal(self):
        self.check("causal")

    def test_formulas_in_place_of_lists(self):
        for pattern in ("dense", "causal", "window:30", "window:10:7"):
            self.check(pattern)
            self.check(pattern, synthesised=True)
        with self.assertRaises(ours.OursError) as raised:
            self.library.compile_attention(64, "bf16", (128, 128), pattern="random:0.5")
        self.assertIn("is no formula", str(raised.exception))

    def test_best_blocks(self):
        self.assertEqual(self.library.fastest_block(128, "dense"), (128, 176))
        self.assertEqual(self.library.fastest_block(256, "causal"), (128, 80))
        with self.assertRaises(ours.OursError):
            self.library.fastest_block(128, "ring")

    def test_lists_of_each_head(self):
        self.check("random:0.4")

    def test_rows_in_parts(self):
        for splits in (0, 1, 3):
            self.check("causal", splits=splits)
            self.check("shared:0.6", splits=splits, kv_heads=1)
        with self.assertRaises(ours.OursError) as raised:
            self.check("dense", splits=77)
        self.assertIn("rows in 77 parts", str(raised.exception))

    def test_packed_heads(self):
        for synthesised in (False, True):
            self.check("causal", synthesised, params=("R=2", "L=32"), kv_heads=1)
        described = self.library.compile_attention(64, "bf16", (128, 128), params=["R=8", "L=16"]).description
        self.assertEqual({name: described["params"][name] for name in ("R", "L", "QB")}, {"R": 8, "L": 16, "QB": 128})
        self.assertNotIn("BM", described["params"])

    def test_the_library_packs_heads(self):
        def packed(heads, kv_heads, queries, pattern, block, head_lists=1):
            made = lists.build(pattern, queries, 1024, block, head_lists)
            parts = made.csr()
            listed = ours.block_lists(*map(self.address, parts), len(made.rows), made.row_blocks(), len(parts[2]))
            q, k = (ours.tensor(self.address(parts[0]), "bf16", [1, *extents, 64])
                    for extents in ((heads, queries), (kv_heads, 1024)))
            given = None if made.rows[0][0][1] and pattern != "dense" else "dense"
            return self.library.packed_tile(q, k, listed, 64, "bf16", block, given)
        self.assertEqual(packed(16, 8, 1024, "shared:0.3", (64, 64)), (2, 64))
        self.assertEqual(packed(16, 4, 1024, "shared:0.3", (64, 64)), (4, 32))
        self.assertIsNone(packed(16, 16, 1024, "shared:0.3", (64, 64)))  # a KV head each
        self.assertIsNone(packed(16, 8, 1024, "random:0.3", (64, 64), 16))  # lists of their own
        self.assertIsNone(packed(16, 8, 1024, "shared:0.3", (128, 64)))  # tiles of 128 rows anyway
        self.assertEqual(packed(16, 2, 3, "dense", (128, 128)), (8, 8))

    def test_description_and_params(self):
        described = self.library.compile_attention(64, "f16", (128, 128), params=["BN=64"]).description
        self.assertEqual(described["target"], "cpu")
        self.assertEqual({name: described["params"][name] for name in ("BM", "BN", "D", "T", "KB")},
                         {"BM": 128, "BN": 64, "D": 64, "T": "f16", "KB": 128})

    def test_errors_are_text(self):
        for wrong, part in ((["BN=17"], "BN"), (["nonsense"], "NAME=VALUE"), (["NONE=1"], "NONE")):
            with self.assertRaises(ours.OursError) as raised:
                self.library.compile_attention(64, "bf16", (128, 128), params=wrong)
            self.assertIn(part, str(raised.exception))
        with self.assertRaises(ours.OursError) as raised:
            self.library.compile_attention(64, "bf16", (100, 128))
        self.assertIn("100x128", str(raised.exception))

    def test_another_text(self):
        with self.assertRaises(ours.OursError) as raised:
            self.library.compile_attention(64, "bf16", (128, 128), source="kernel ?")
        self.assertIn("error", str(raised.exception))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
