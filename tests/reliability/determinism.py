#!/usr/bin/env python3
"""R20. The same request gives the same bytes, whatever else differs.

    determinism.py --bin PROGRAMS --kernels kernels_dsl --fakecuda LIBRARY

Kernels are compiled in shuffled order, with their params in shuffled order, from other folders, under other file names
and other environments; each one's PTX (and cubin, where there is an assembler) must always be the same. Then the same
specialisations are put into several caches in shuffled order: the files must be the same, names and bytes.
LACUNA_RELIABILITY=full takes 50 builds of each.
"""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

KERNELS = [
    ("attention_forward.tile", ["D=128", "BM=128", "T=f16"], ["keep=causal"]),
    ("attention_forward.tile", ["D=64", "BN=64"], ["score=30 * tanh(s / 30)"]),
    ("matmul.tile", ["T=f16"], []),
    ("block_sparse_matmul.tile", ["BN=64", "BK=64"], []),
]
ATTENTION = [["--head-dim", "64"], ["--head-dim", "64", "--dtype", "f16"], ["--head-dim", "32", "--pattern", "causal"]]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(command, folder, **variables):
    environment = dict(os.environ, LANG=random.choice(["C", "C.UTF-8", "de_DE.UTF-8"]),
                       TZ=random.choice(["UTC", "Asia/Tokyo"]))
    environment.update(variables)
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
                            check=False)
    if result.returncode != 0:
        words = " ".join(map(str, command))
        sys.exit(f"{words}\nended with status {result.returncode}\n{result.stdout}{result.stderr}")


def compile_once(arguments, scratch, case, build):
    """Compiles a case from a folder of its own; returns the digests of PTX and cubin."""
    file, params, hooks = case
    folder = scratch / f"{'x' * random.randint(1, 40)}{build}" / "sources"
    folder.mkdir(parents=True)
    name = f"{random.choice(['kernel', 'a', 'z' * 30])}.tile"
    shutil.copy(arguments.kernels / file, folder / name)
    options = [["--set", param] for param in params] + [["--hook", hook] for hook in hooks]
    random.shuffle(options)
    command = [arguments.bin / "lacuna", "compile", random.choice([name, str(folder / name)]), "--dump", "dump"]
    run(command + [word for option in options for word in option], folder)
    stages = sorted((folder / "dump").glob("*.ptx")) + sorted((folder / "dump").glob("*.cubin"))
    digests = tuple(digest(stage) for stage in stages)
    shutil.rmtree(folder.parent)
    return digests


def compiled_alike(arguments, scratch, builds):
    work = [(case, build) for case in range(len(KERNELS)) for build in range(builds)]
    random.shuffle(work)
    seen = {}
    for case, build in work:
        seen.setdefault(case, set()).add(compile_once(arguments, scratch, KERNELS[case], build))
    for case, results in sorted(seen.items()):
        if len(results) != 1 or not all(results):
            sys.exit(f"{KERNELS[case]}: {builds} builds gave {len(results)} different results: {results}")
    print(f"{len(KERNELS)} kernels, {builds} builds of each: {len(next(iter(seen[0])))} stages the same")


def cached_alike(arguments, scratch, caches):
    seen = set()
    for number in range(caches):
        directory = scratch / f"{'c' * random.randint(1, 30)}{number}"
        work = list(ATTENTION)
        random.shuffle(work)
        for options in work:
            command = [arguments.bin / "lacuna", "attention", "--device", "gpu", "--heads", "1", "--kv-heads", "1"]
            run(command + ["--queries", "64", "--keys", "64", *options], scratch, LACUNA_CACHE_DIR=str(directory),
                LACUNA_CACHE="disk", LACUNA_DRIVER=str(arguments.fakecuda),
                LACUNA_THREADS=str(random.randint(1, 4)))
        seen.add(tuple(sorted((path.name, digest(path)) for path in directory.glob("v1/*/*.lac"))))
    if len(seen) != 1 or len(next(iter(seen))) != len(ATTENTION):
        sys.exit(f"{caches} caches of the same {len(ATTENTION)} kernels have different contents: {seen}")
    print(f"{caches} caches of {len(ATTENTION)} kernels: the same keys and bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--bin", "--kernels", "--fakecuda"):
        parser.add_argument(option, type=lambda text: pathlib.Path(text).resolve(), required=True)
    arguments = parser.parse_args()
    full = os.environ.get("LACUNA_RELIABILITY") == "full"
    random.seed(20)
    with tempfile.TemporaryDirectory() as scratch:
        compiled_alike(arguments, pathlib.Path(scratch), 50 if full else 4)
        cached_alike(arguments, pathlib.Path(scratch), 10 if full else 3)


if __name__ == "__main__":
    main()
