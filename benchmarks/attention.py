#!/usr/bin/env python3
"""Measures attention: ours and the peers found on this machine, side by side in this process: ./dev bench [OPTIONS].

Every contender runs on the same random data, its output is checked against float64, and all of a case are timed in
alternating rounds (timing.py says how). Writes results.json, results.md and plot.png into --out.

    ./dev bench --quick                                         the rows of the speed table, within a minute
    ./dev bench --only dense --variant 'wide: BN=176 KB=176'    two of ours beside each other
    ./dev bench --case 'mine random:0.2 8192x8192 16 16 128 bf16 64x64'

TFLOP/s count 4 * D operations for each (query, key) pair and head, over the blocks that the lists of the case name,
each whole (`executed`), or over the pairs that the mask keeps (`useful`).
"""

import argparse
import importlib
import pathlib
import re
import sys
import time

import cases
import ours
import plot
import report
import timing

# bf16 operations a second of an H100 or H200 with 132 multiprocessors, dense, by its data sheet.
DATA_SHEET_TFLOPS = 989.0


def parse_arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the main rows and peers, fewer rounds")
    parser.add_argument("--only", metavar="REGEX", default="", help="the cases whose name matches")
    parser.add_argument("--case", action="append", default=[], type=cases.parse, metavar="TEXT",
                        help="NAME PATTERN QUERIESxKEYS HEADS KV_HEADS HEAD_DIM DTYPE [QBxKB], in place of the table")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE",
                        help="a param of our kernel, LACUNA_X=VALUE for its environment, or source=FILE.tile")
    parser.add_argument("--variant", action="append", default=[], metavar="'NAME: NAME=VALUE ...'",
                        help="another one of ours, in the same run")
    parser.add_argument("--peers", metavar="LIST", help="these peers, with commas; 'none': ours alone")
    parser.add_argument("--rounds", type=int, help="rounds of each case (default 15, with --quick 7)")
    parser.add_argument("--flush", action="store_true", help="overwrite the L2 cache before every timed launch")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("bench-results"), metavar="DIR")
    parser.add_argument("--library", type=pathlib.Path, help="liblacuna_bench.so (default: of this build or bundle)")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    arguments = parser.parse_args(words)
    try:
        arguments.variants = [ours.Variant.parse("ours", arguments.param),
                              ours.Variant.parse("ours-lists", [*arguments.param, "lists=memory"])]
        for text in arguments.variant:
            name, colon, rest = text.partition(":")
            if not colon:
                raise ValueError(f"the variant '{text}' has no name; give 'NAME: NAME=VALUE ...'")
            arguments.variants.append(ours.Variant.parse(name.strip(), arguments.param + rest.split()))
        names = [variant.name for variant in arguments.variants]
        if len(set(names)) < len(names):
            raise ValueError(f"each variant needs a name of its own: {', '.join(names)}")
        pattern = re.compile(arguments.only)
    except (ValueError, re.error) as error:
        parser.error(str(error))
    arguments.cases = [case for case in arguments.case or cases.table()
                       if pattern.search(case.name) and (case.quick or not arguments.quick or arguments.case)]
    if not arguments.cases:
        parser.error(f"no case matches '{arguments.only}'")
    return arguments


class Missing(Exception):
    """What this machine lacks."""


def open_machine(arguments):
    """(torch, our library). Raises Missing."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise Missing(f"there is no PyTorch for {sys.executable} ({error}): it has the peers and the clock; "
                      "`lacuna attention --bench` times ours alone") from error
    if not torch.cuda.is_available():
        raise Missing("PyTorch finds no GPU (torch.cuda.is_available() is false); ./dev demo times the CPU backend")
    torch.cuda.init()
    path = arguments.library or ours.find_library()
    if path is None:
        raise Missing("liblacuna_bench.so is not built; run ./dev build lacuna_bench, or name it with --library")
    try:
        return torch, ours.Library(path, torch.cuda.current_device())
    except (OSError, ours.OursError) as error:
        raise Missing(f"our library cannot be used: {error}") from error


def matmul_tflops(torch, clock, size=8192):
    """The rate of PyTorch's bf16 matrix product on random data: what a kernel can hope for at this power."""
    a, b = (torch.randn(size, size, dtype=torch.bfloat16, device="cuda") for _ in range(2))
    times = timing.measure({"matmul": lambda: a @ b}, clock, rounds=5)
    return 2 * size**3 / times["matmul"].median_us / 1e6


def prepare(torch, contender, data, reference):
    """(function that enqueues one checked launch, its error, what the kernel became). Raises what went wrong."""
    import problem
    prepared = contender.prepare(data)
    run, kernel = prepared if isinstance(prepared, tuple) else (prepared, None)
    output = run()
    torch.cuda.synchronize()
    error = data.error(output, reference)
    if not error <= problem.TOLERANCE[data.case.dtype]:
        raise RuntimeError(f"wrong result: relative error {error:.2e}")
    return run, error, kernel


def failure(error):
    """What a report says of a contender that failed."""
    text = str(error).strip().splitlines()
    return {"failed": f"{type(error).__name__}: {text[0] if text else ''}"[:300]}


def prepare_companions(torch, case, contender):
    """{name of another case that this one is held against: (its row, function that enqueues ours of it)}."""
    import problem
    known = {other.name: other for other in cases.table()}
    companions = {}
    for name in (demand.rival.removeprefix("case:") for demand in case.demands if demand.rival.startswith("case:")):
        data = problem.Problem(torch, known[name])
        row = report.row(known[name], data.lists)
        run, error, kernel = prepare(torch, contender, data, data.reference())
        companions[name] = (row, run, error, kernel)
    return companions


def measure_case(torch, case, contenders, clock, arguments):
    """A row of the report: everyone prepared and checked, then timed together."""
    import problem
    torch.compiler.reset()  # each case compiles afresh, as a static shape
    data = problem.Problem(torch, case)
    row = report.row(case, data.lists)
    reference = data.reference()
    runs, errors, kernels = {}, {}, {}
    for contender in contenders:
        refused = contender.refuses(case) if hasattr(contender, "refuses") else None
        if refused:
            continue
        try:
            run, errors[contender.name], kernels[contender.name] = prepare(torch, contender, data, reference)
            runs[contender.name] = run
        except Exception as error:  # a contender that fails is a line of the report
            row["results"][contender.name] = failure(error)
            print(f"  {contender.name}: {type(error).__name__}: {error}", file=sys.stderr)
    companions = prepare_companions(torch, case, contenders[0])
    rounds = arguments.rounds or (7 if arguments.quick else 15)
    times = timing.measure({**runs, **{f"case:{name}": entry[1] for name, entry in companions.items()}}, clock,
                           rounds=rounds)
    for name, (other, _, error, kernel) in companions.items():
        report.add(other, "ours", times.pop(f"case:{name}"), error, kernel)
        row["companions"][name] = other["results"]["ours"]
    for name, measured in times.items():
        report.add(row, name, measured, errors[name], kernels.get(name))
    return row


def method(arguments):
    return (f"Alternating rounds in one process, median of the rounds; random normal data; warm clocks; "
            f"L2 {'flushed before every launch' if arguments.flush else 'not flushed'}, for all alike.")


def run(arguments):
    torch, library = open_machine(arguments)
    import peers
    wanted = None if arguments.peers is None else arguments.peers.split(",")
    found, missing = peers.find(torch, arguments.quick, wanted)
    contenders = [ours.Ours(torch, library, variant) for variant in arguments.variants] + found
    clock = timing.CudaClock(torch, arguments.flush)
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    machine = f"{properties.name}, PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}"
    print(f"{machine}\n{', '.join(contender.name for contender in contenders)}", file=sys.stderr)
    for name, reason in missing.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    limits = {"8192³ matrix product": matmul_tflops(torch, timing.CudaClock(torch))}
    if properties.major == 9 and properties.multi_processor_count == 132:
        limits["data sheet"] = DATA_SHEET_TFLOPS
    data = {"machine": machine, "method": method(arguments), "ours": "ours", "missing": missing, "limits": limits,
            "variants": {variant.name: [*variant.params, *map("=".join, variant.environment)]
                         for variant in arguments.variants}, "rows": []}
    arguments.out.mkdir(parents=True, exist_ok=True)
    for case in arguments.cases:
        started = time.perf_counter()
        with torch.no_grad():
            data["rows"].append(measure_case(torch, case, contenders, clock, arguments))
        print(f"{report.line(data['rows'][-1])}  [{time.perf_counter() - started:.1f} s]", file=sys.stderr, flush=True)
        report.write(data, arguments.out)  # what was measured stays if the rest is cut off
        torch.cuda.empty_cache()
    try:
        plot.draw(data, arguments.out / "plot.png")
    except ImportError as error:
        print(f"no plot: {error}; draw it elsewhere: python3 benchmarks/plot.py {arguments.out}/results.json",
              file=sys.stderr)
    print((arguments.out / "results.md").read_text(encoding="utf-8"))
    return 0 if any("tflops" in row["results"].get("ours", {}) for row in data["rows"]) else 1


def main():
    arguments = parse_arguments()
    if arguments.list:
        for case in arguments.cases:
            print(f"{case.name:28} {case.pattern:20} {case.queries}x{case.keys}, {case.heads} heads over "
                  f"{case.kv_heads}, D = {case.head_dim}, {case.dtype}, blocks {case.block[0]}x{case.block[1]}")
        return 0
    try:
        return run(arguments)
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
