"""The table of workloads: what is measured, and what is demanded of it."""

import dataclasses

import lists


@dataclasses.dataclass(frozen=True)
class Demand:
    """Ours at least `ratio` times `rival`: a peer (by time), or `case:NAME`, ours on another case (by executed
    TFLOP/s), each timed in the same rounds."""
    rival: str
    ratio: float


@dataclasses.dataclass(frozen=True)
class Case:
    """One shape, batch 1. `block` is the lists' block; a pattern without lists of its own may be run with another."""
    name: str
    pattern: str
    queries: int
    keys: int
    heads: int
    kv_heads: int
    head_dim: int
    dtype: str = "bf16"
    block: tuple = (128, 128)
    demands: tuple = ()
    quick: bool = False
    operator: bool = False  # ours is lacuna::Attention, which decides on packing and parts
    sweep: bool = False  # there for the plot

    def lists(self, block=None):
        return lists.build(self.pattern, self.queries, self.keys, block or self.block, self.heads)

    def free_block(self):
        """Whether the pattern says the same whatever the block."""
        return self.pattern.split(":")[0] in ("dense", "causal", "window")

    def flops(self, pairs):
        return 4.0 * self.head_dim * pairs


HEADS = {64: 32, 128: 16, 256: 8}


def square(name, pattern, length, head_dim, *demands, **options):
    heads = HEADS[head_dim]
    return Case(name, pattern, length, length, heads, heads, head_dim, demands=demands, **options)


def table():
    """The rows of the speed table, then what goes with them, then the points that only the plot needs."""
    cudnn, flex = (lambda ratio: Demand("cudnn", ratio)), (lambda ratio: Demand("flex-list", ratio))
    # What a formula says must not be slower than the same blocks read from memory (but for the noise of a run).
    unread = Demand("ours-lists", 0.99)

    def own(case, ratio):
        return Demand("case:" + case, ratio)
    k = 1024
    return [
        square("dense-16k-d128", "dense", 16 * k, 128, cudnn(1.10), unread, quick=True),
        square("causal-16k-d128", "causal", 16 * k, 128, cudnn(1.10), unread, quick=True),
        square("dense-16k-d64", "dense", 16 * k, 64, cudnn(1.10), unread, quick=True),
        square("dense-16k-d256", "dense", 16 * k, 256, cudnn(1.10), unread, quick=True),
        square("random10-32k-d128", "random:0.1", 32 * k, 128, flex(1.5), own("dense-16k-d128", 0.93), quick=True),
        square("random25-32k-d128", "random:0.25", 32 * k, 128, flex(1.5), own("dense-16k-d128", 0.93), quick=True),
        # Dense with the tile of the lists below, where the dense row has another.
        square("dense-16k-d64-tile128", "random:1", 16 * k, 64, quick=True),
        square("random10-32k-d64", "random:0.1", 32 * k, 64, flex(1.15), own("dense-16k-d64-tile128", 0.95),
               quick=True),
        square("random25-32k-d64", "random:0.25", 32 * k, 64, flex(1.15), own("dense-16k-d64-tile128", 0.95)),
        square("random10-8k-d128", "random:0.1", 8 * k, 128, flex(1.5), quick=True),
        square("block64-10-32k-d128", "random:0.1", 32 * k, 128, own("random10-32k-d128", 0.6), block=(64, 64),
               quick=True),
        square("block64-paired-10-32k-d128", "paired:0.1", 32 * k, 128, own("random10-32k-d128", 0.85),
               block=(64, 64)),
        # Heads that share lists and KV heads: their blocks of 64 rows are packed into tiles of 128.
        *(Case(name, "shared:0.1", 32 * k, 32 * k, 16, kv_heads, 128, block=(64, 64),
               demands=(own("random10-32k-d128", 0.85),))
          for name, kv_heads in (("block64-grouped-10-32k-d128", 8), ("block64-grouped4-10-32k-d128", 4))),
        # Heads that share lists, but no tile of keys: nothing to pack, and nothing more is demanded than of lists of
        # their own (docs/performance.md).
        square("block64-shared-10-32k-d128", "shared:0.1", 32 * k, 128, own("random10-32k-d128", 0.6), block=(64, 64)),
        square("causal-random25-32k-d128", "causal-random:0.25", 32 * k, 128, own("random25-32k-d128", 0.9),
               quick=True),
        square("uneven10-32k-d128", "powerlaw:0.1", 32 * k, 128, own("random10-32k-d128", 0.9), quick=True),
        square("dense-16k-d128-f16", "dense", 16 * k, 128, own("dense-16k-d128", 0.95), dtype="f16"),
        square("random10-32k-d128-f16", "random:0.1", 32 * k, 128, own("random10-32k-d128", 0.95), dtype="f16"),
        square("causal-16k-d64", "causal", 16 * k, 64, cudnn(1.10), unread),
        square("causal-16k-d256", "causal", 16 * k, 256, cudnn(1.10), unread),
        *(square(f"window-{length}k-d{dim}", "window:1024:64", length * k, dim, unread, quick=dim == 128)
          for length, dim in ((32, 128), (32, 64))),
        square("window4096-sink-32k-d128", "window:4096:64", 32 * k, 128, unread, quick=True),
        square("window4096-32k-d128", "window:4096", 32 * k, 128, unread),
        Case("causal-16k-gqa", "causal", 16 * k, 16 * k, 32, 8, 128),
        Case("short-64x32k", "dense", 64, 32 * k, 32, 8, 128, block=(64, 128)),
        Case("short-128x32k", "dense", 128, 32 * k, 32, 8, 128),
        # Few rows: time them with --variant 'split: split=auto' beside the default, which does not split.
        *(Case(f"few-{queries}x128k", "dense", queries, 128 * k, 8, 8, 128) for queries in (128, 512)),
        # Decoding: heads packed and rows in parts. --variant 'packed: R=8 L=8 KB=128' is one launch with 8 queries of
        # the 8 heads of a KV head in each 64-row tile, --variant 'apart: BM=64 split=auto' parts without packing.
        *(Case(f"decode-{queries}x{length}k-gqa8", "dense", queries, length * k, 64, 8, 128, operator=True)
          for queries, length in ((1, 32), (16, 32), (1, 128))),
        *(square(f"random{percent:02}-32k-d128", f"random:{percent / 100}", 32 * k, 128, sweep=True)
          for percent in (5, 50)),
        *(square(f"dense-{length}k-d128", "dense", length * k, 128, sweep=True) for length in (2, 4, 8, 32)),
        *(square(f"random10-{length}k-d128", "random:0.1", length * k, 128, sweep=True) for length in (4, 16)),
    ]


def parse(text):
    """A case of the caller's own: NAME PATTERN QUERIESxKEYS HEADS KV_HEADS HEAD_DIM DTYPE [QBxKB]."""
    words = text.split()
    if len(words) not in (7, 8):
        raise ValueError("a case is: NAME PATTERN QUERIESxKEYS HEADS KV_HEADS HEAD_DIM DTYPE [QBxKB]")
    queries, keys = map(int, words[2].split("x"))
    block = tuple(map(int, words[7].split("x"))) if len(words) == 8 else (128, 128)
    return Case(words[0], words[1], queries, keys, *map(int, words[3:6]), dtype=words[6], block=block)
