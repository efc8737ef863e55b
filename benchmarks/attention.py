#!/usr/bin/env python3
"""Times the library's attention on this machine, with the peers beside it: ./dev bench [OPTIONS].

On a GPU: `lacuna attention --bench`, PyTorch's FlexAttention (compiled; autotuned with --tune) and cuDNN through its
scaled_dot_product_attention, in one run and on the same shapes, with random bf16 or f16 data. For a dense pattern
FlexAttention runs twice: `flex` without a mask, and `flex-list` with lists of all blocks, as ours has. A peer that is not
installed is left out. On a machine without a GPU: the CPU backend, smaller.

TFLOP/s count 4 * H * D floating-point operations for each (query, key) pair: `executed`, the pairs of the blocks that
are visited; `dense`, all M * N pairs, so that peers compare by time. Times are medians, in microseconds.

--case 'NAME PATTERN LENGTH HEADS KV_HEADS HEAD_DIM DTYPE' measures a case of your own in place of the built-in ones.
"""

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys


@dataclasses.dataclass
class Case:
    """One shape: batch 1, as many keys as queries."""
    name: str
    pattern: str
    length: int
    heads: int
    kv_heads: int
    head_dim: int
    dtype: str

    def dense_flops(self):
        return 4.0 * self.heads * self.head_dim * self.length * self.length


GPU_CASES = [
    Case("dense-16k", "dense", 16384, 16, 16, 128, "bf16"),
    Case("dense-16k-f16", "dense", 16384, 16, 16, 128, "f16"),
    Case("dense-16k-d64", "dense", 16384, 32, 32, 64, "bf16"),
    Case("dense-16k-d256", "dense", 16384, 8, 8, 256, "bf16"),
    Case("causal-16k", "causal", 16384, 16, 16, 128, "bf16"),
    Case("causal-16k-gqa", "causal", 16384, 32, 8, 128, "bf16"),
    Case("window-16k", "window:4096", 16384, 16, 16, 128, "bf16"),
    Case("random-32k", "random:0.1", 32768, 16, 16, 128, "bf16"),
]
CPU_CASES = [
    Case("cpu-dense-1k", "dense", 1024, 8, 8, 128, "bf16"),
    Case("cpu-causal-1k", "causal", 1024, 8, 8, 128, "bf16"),
    Case("cpu-random-4k", "random:0.1", 4096, 8, 8, 128, "bf16"),
]


def measure_lacuna(program, case, device):
    """The object that `lacuna attention --json` prints, or an error text."""
    command = [program, "attention", "--device", device, "--pattern", case.pattern, "--queries", str(case.length),
               "--keys", str(case.length), "--heads", str(case.heads), "--kv-heads", str(case.kv_heads),
               "--head-dim", str(case.head_dim), "--dtype", case.dtype, "--bench", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return None, result.stderr.strip()
    return json.loads(result.stdout), None


class TorchPeers:
    """FlexAttention and scaled_dot_product_attention, timed with CUDA events."""

    def __init__(self, tune):
        import torch
        import torch.nn.attention
        from torch.nn.attention import flex_attention
        self.torch = torch
        self.flex = flex_attention
        mode = "max-autotune-no-cudagraphs" if tune else None
        self.compiled_flex = torch.compile(flex_attention.flex_attention, dynamic=False, mode=mode)
        self.description = f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}"

    def median_us(self, call, repeats=30, warm_up=5):
        """Median of `repeats` timed calls, the L2 cache overwritten before each."""
        torch = self.torch
        flush = torch.empty(256 * 1024 * 1024, dtype=torch.int8, device="cuda")
        for _ in range(warm_up):
            call()
        times = []
        for _ in range(repeats):
            flush.zero_()
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            call()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) * 1000)
        return statistics.median(times)

    def block_mask(self, case):
        """FlexAttention's form of the case's pattern. Raises KeyError for a pattern it does not have."""
        kind, *arguments = case.pattern.split(":")
        if kind == "dense":
            def mask(b, h, i, j):
                return i >= 0
        elif kind == "causal":
            def mask(b, h, i, j):
                return i >= j
        elif kind == "window":
            left = int(arguments[0])

            def mask(b, h, i, j):
                return (i >= j) & (i - j <= left)
        elif kind == "random":
            return self.random_blocks(case, float(arguments[0]))
        else:
            raise KeyError(kind)
        return self.flex.create_block_mask(mask, None, None, case.length, case.length, device="cuda")

    def random_blocks(self, case, density):
        """Random full blocks of 128x128, a list a head, made from the lists: a mask of all positions would not fit."""
        torch = self.torch
        count = case.length // 128
        keep = torch.rand(1, case.heads, count, count, device="cuda") < density
        keep[..., 0] |= ~keep.any(dim=-1)
        number = keep.sum(dim=-1, dtype=torch.int32)
        indices = keep.int().argsort(dim=-1, descending=True, stable=True).int()
        return self.flex.BlockMask.from_kv_blocks(torch.zeros_like(number), torch.zeros_like(indices), number, indices,
                                                  BLOCK_SIZE=128, mask_mod=lambda b, h, i, j: i >= 0)

    def measure(self, case):
        """Yields (peer, median microseconds)."""
        torch = self.torch
        torch.compiler.reset()  # each case compiles afresh, as a static shape
        dtype = {"bf16": torch.bfloat16, "f16": torch.float16}[case.dtype]

        def random(heads):
            return torch.randn(1, heads, case.length, case.head_dim, dtype=dtype, device="cuda")
        q, k, v = random(case.heads), random(case.kv_heads), random(case.kv_heads)
        grouped = case.heads != case.kv_heads
        mask = self.block_mask(case)
        with torch.no_grad():
            if case.pattern == "dense":
                yield "flex", self.median_us(lambda: self.compiled_flex(q, k, v, enable_gqa=grouped))
            yield "flex-list" if case.pattern == "dense" else "flex", self.median_us(
                lambda: self.compiled_flex(q, k, v, block_mask=mask, enable_gqa=grouped))
            if case.pattern in ("dense", "causal"):
                attend = torch.nn.functional.scaled_dot_product_attention
                with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.CUDNN_ATTENTION):
                    yield "cudnn", self.median_us(
                        lambda: attend(q, k, v, is_causal=case.pattern == "causal", enable_gqa=grouped))


def parse_case(text):
    words = text.split()
    if len(words) != 7:
        raise argparse.ArgumentTypeError("a case is: NAME PATTERN LENGTH HEADS KV_HEADS HEAD_DIM DTYPE")
    return Case(words[0], words[1], *map(int, words[2:6]), words[6])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", required=True, help="the program to measure")
    parser.add_argument("--device", choices=["cpu", "gpu"], help="default: the GPU if `lacuna` can use one")
    parser.add_argument("--only", default="", help="the cases whose name contains this")
    parser.add_argument("--case", action="append", type=parse_case, help="a case of your own")
    parser.add_argument("--tune", action="store_true", help="let FlexAttention autotune (minutes)")
    parser.add_argument("--no-peers", action="store_true", help="measure lacuna alone")
    parser.add_argument("--json", metavar="FILE", help="write the measurements to FILE")
    arguments = parser.parse_args()

    device = arguments.device
    if device is None:
        probe = Case("probe", "dense", 256, 1, 1, 128, "bf16")
        device = "gpu" if measure_lacuna(arguments.lacuna, probe, "gpu")[0] else "cpu"
    peers = None
    if device == "gpu" and not arguments.no_peers:
        try:
            peers = TorchPeers(arguments.tune)
            print(f"peers: {peers.description}")
        except (ImportError, AssertionError, RuntimeError) as error:
            print(f"no peers: {error}")

    rows = []
    cases = arguments.case or (GPU_CASES if device == "gpu" else CPU_CASES)
    print(f"{'case':16} {'who':8} {'median us':>12} {'executed':>10} {'dense':>10} TFLOP/s")
    for case in cases:
        if arguments.only not in case.name:
            continue
        measured, error = measure_lacuna(arguments.lacuna, case, device)
        if error:
            print(f"{case.name:16} {'lacuna':8} failed: {error}")
        else:
            bench = measured["bench"]
            rows.append({"case": case.name, "who": "lacuna", **bench})
            print(f"{case.name:16} {'lacuna':8} {bench['median_us']:12.1f} {bench['tflops_executed']:10.2f} "
                  f"{bench['tflops_dense']:10.2f}")
        for who, median in peers.measure(case) if peers else ():
            dense = case.dense_flops() / median / 1e6
            rows.append({"case": case.name, "who": who, "median_us": median, "tflops_dense": dense})
            print(f"{case.name:16} {who:8} {median:12.1f} {'':10} {dense:10.2f}", flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"device": device, "peers": peers and peers.description, "rows": rows}, file, indent=1)
    return 0 if any(row["who"] == "lacuna" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
