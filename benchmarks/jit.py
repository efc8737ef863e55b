#!/usr/bin/env python3
"""The JIT as a product: what a user waits for, beside the bars that we hold ourselves to.

    ./dev bench-jit [--runs N] [--json]

Each figure is the best of its runs: what the code takes, not what the machine did beside it. `cpu` is processor time of
all processes together, which a busy machine does not stretch as much. Where there is no GPU, loading goes to the fake
driver and its figures are marked so. Where PyTorch and Triton are installed, the first compilation and a launch of a
small Triton kernel are measured in this process.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

EIGHT = [("attention_forward", ["D=64"]), ("attention_forward", ["D=128"]), ("attention_packed", []),
         ("sigmoid_attention", []), ("two_product_attention", []), ("block_sparse_matmul", []), ("matmul", []),
         ("matmul", ["T=f16"])]


def timed(command, environment):
    """Wall and processor time of a command in milliseconds, and its output."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    result = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True,
                            check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.exit(f"{command[0]} ended with status {result.returncode}: {result.stderr.strip()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1e3 * wall, 1e3 * cpu, result.stdout


class Bench:
    def __init__(self, build, runs):
        self.bin, self.runs = build / "bin", runs
        self.environment = dict(os.environ, LACUNA_CACHE="disk", LACUNA_LOG="error")
        self.environment.pop("LACUNA_JIT", None)
        self.gpu = any(pathlib.Path("/dev").glob("nvidia[0-9]*"))
        self.fake = dict(self.environment, LACUNA_DRIVER=str(build / "lib" / "libfakecuda.so"))
        self.figures = []

    def add(self, what, value, unit, bar, note=""):
        self.figures.append({"what": what, "value": value, "unit": unit, "bar": bar, "note": note})

    def start(self):
        """`lacuna doctor` without a driver; most of it is mapping LLVM and MLIR."""
        without = dict(self.environment, LACUNA_DRIVER="/nowhere/libcuda.so")
        times = [timed([self.bin / "lacuna", "doctor"], without)[:2] for _ in range(4 * self.runs)]
        self.add("start of lacuna doctor", min(wall for wall, _ in times), "ms", 100,
                 f"cpu {min(cpu for _, cpu in times):.0f} ms")

    def cold(self, what, requests, jobs, bar):
        """Compilation into an empty cache through `lacuna warm`, without the start of the process."""
        best = None
        for _ in range(self.runs):
            with tempfile.TemporaryDirectory() as folder:
                kernels = pathlib.Path(folder) / "kernels.list"
                kernels.write_text("".join(" ".join([name, *params]) + "\n" for name, params in requests),
                                   encoding="utf-8")
                environment = dict(self.environment, LACUNA_CACHE_DIR=folder + "/cache",
                                   LACUNA_DRIVER="/nowhere/libcuda.so")
                _, cpu, output = timed([self.bin / "lacuna", "warm", "--json", "--jobs", jobs, "--list", kernels],
                                       environment)
                figure = json.loads(output.splitlines()[-1])["ms"], cpu
                best = min(best or figure, figure)
        self.add(what, best[0], "ms", bar, f"cpu of the whole process {best[1]:.0f} ms")

    def library(self):
        """Every kernel of the library from a warm cache, as a server does it with LACUNA_JIT=off."""
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(self.environment if self.gpu else self.fake, LACUNA_CACHE_DIR=folder + "/cache")
            timed([self.bin / "lacuna", "warm", "--library"], environment)
            environment["LACUNA_JIT"] = "off"
            runs = [timed([self.bin / "lacuna", "warm", "--library", "--json"], environment)[2]
                    for _ in range(4 * self.runs)]
        sums = [json.loads(run.splitlines()[-1]) for run in runs]
        self.add(f"{sums[0]['in cache']} library kernels, warm", min(each["ms"] for each in sums), "ms", 50,
                 "" if self.gpu else "fake driver")

    def google(self, program, choice, environment):
        """CPU times of a Google Benchmark program in microseconds, by name."""
        command = [self.bin / program, f"--benchmark_filter={choice}", "--benchmark_format=json",
                   "--benchmark_min_time=0.2"]
        scale = {"ns": 1e-3, "us": 1, "ms": 1e3}
        return {each["name"]: each["cpu_time"] * scale[each["time_unit"]]
                for each in json.loads(timed(command, environment)[2])["benchmarks"] if "error_message" not in each}

    def hits(self):
        environment = self.environment if self.gpu else self.fake
        found = self.google("lacuna-bench-cache", "^(memoryHit|diskHitToModule)$", environment)
        self.add("hit in memory", found["memoryHit"], "us", 2, "cpu")
        self.add("hit on disk, to a loaded module", found["diskHitToModule"] / 1e3, "ms", 1,
                 "cpu" if self.gpu else "cpu, fake driver")
        launches = self.google("lacuna-bench-host", "bareDriverCall/persistent:0|preparedRun/persistent:0", environment)
        bare, ours = launches["bareDriverCall/persistent:0"], launches["preparedRun/persistent:0"]
        note = "cpu" if self.gpu else "cpu, fake driver"
        self.add("prepared launch over the driver's call", ours - bare, "us", 1, note)

    def triton(self):
        """The first call of a small matrix product in Triton, and what a later launch takes on the host."""
        try:
            import torch  # pylint: disable=import-outside-toplevel
            import triton_kernel  # pylint: disable=import-outside-toplevel
        except ImportError as missing:
            return f"Triton is left out: {missing}"
        if not torch.cuda.is_available():
            return "Triton is left out: PyTorch sees no GPU"
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TRITON_CACHE_DIR"] = folder
            launch = triton_kernel.product(torch, 256)
            start = time.perf_counter()
            launch()
            torch.cuda.synchronize()
            self.add("Triton: first call of a matrix product", 1e3 * (time.perf_counter() - start), "ms", None)
            launches, best = 1000, float("inf")
            for _ in range(5):
                start = time.perf_counter()
                for _ in range(launches):
                    launch()
                best = min(best, 1e6 * (time.perf_counter() - start) / launches)
                torch.cuda.synchronize()
            self.add("Triton: a launch on the host", best, "us", None)
        return ""

    def table(self):
        lines = [f"{'':46} {'measured':>12} {'bar':>10}"]
        for each in self.figures:
            bar = "" if each["bar"] is None else f"{each['bar']:g} {each['unit']}"
            lines.append(f"{each['what']:46} {each['value']:9.3g} {each['unit']} {bar:>10}  {each['note']}")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder")
    parser.add_argument("--runs", type=int, default=5, help="of each compilation; quicker ones run four times as often")
    parser.add_argument("--json", action="store_true", help="one object a figure and line, in place of the table")
    arguments = parser.parse_args()
    bench = Bench(arguments.build.resolve(), arguments.runs)
    bench.start()
    bench.hits()
    bench.library()
    bench.cold("cold compile, attention D=128 128x128", [("attention_forward", ["D=128"])], 1, 500)
    bench.cold("eight kernels cold, two jobs", EIGHT, 2, 2500)
    left_out = bench.triton()
    print("\n".join(json.dumps(each) for each in bench.figures) if arguments.json else bench.table())
    if left_out:
        print(left_out, file=sys.stderr)


if __name__ == "__main__":
    main()
