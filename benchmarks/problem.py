"""The data of a case on the GPU, and the check that a contender computes what the case asks for."""

import functools
import math

# Relative Frobenius error of O that is allowed; a wrong block or mask is far above it.
TOLERANCE = {"bf16": 4e-3, "f16": 8e-4}


class Problem:
    """Random normal q, k and v, [1, heads, length, head dimension] without gaps, and the lists of the case."""

    def __init__(self, torch, case, seed=1):
        self.torch, self.case = torch, case
        generator = torch.Generator(device="cuda").manual_seed(seed)
        dtype = {"bf16": torch.bfloat16, "f16": torch.float16}[case.dtype]

        def normal(heads, length):
            return torch.randn(1, heads, length, case.head_dim, dtype=dtype, device="cuda", generator=generator)
        self.q = normal(case.heads, case.queries)
        self.k = normal(case.kv_heads, case.keys)
        self.v = normal(case.kv_heads, case.keys)
        self.scale = 1 / math.sqrt(case.head_dim)
        self.lists_for = functools.lru_cache(maxsize=None)(lambda block: case.lists(block))
        self.lists = self.lists_for(case.block)

    def reference(self, samples=64, sampled_heads=3):
        """(heads, rows, O of these in float64), from the case's lists: at random, with the first and the last row."""
        torch, case = self.torch, self.case
        generator = torch.Generator().manual_seed(2)
        heads = sorted(torch.randperm(case.heads, generator=generator)[:sampled_heads].tolist())
        rows = torch.randint(case.queries, (min(samples, case.queries),), generator=generator)
        rows[0], rows[-1] = 0, case.queries - 1
        seen = torch.stack([self._seen(head, rows) for head in heads]).cuda()
        rows = rows.cuda()
        expected = []
        for index, head in enumerate(heads):
            group = head // (case.heads // case.kv_heads)
            scores = self.q[0, head, rows].double() @ self.k[0, group].double().T * self.scale
            weights = torch.softmax(scores.masked_fill(~seen[index], -math.inf), dim=-1).nan_to_num()
            expected.append(weights @ self.v[0, group].double())
        return heads, rows, torch.stack(expected)

    def _seen(self, head, rows):
        """Which keys the rows of a head see: a mask on the CPU."""
        torch, lists = self.torch, self.lists
        mask = torch.zeros(len(rows), lists.key_blocks() * lists.key_block, dtype=torch.bool)
        keys = torch.arange(mask.shape[1])
        for index, row in enumerate(rows.tolist()):
            partial, full = lists.rows[head if len(lists.rows) > 1 else 0][row // lists.query_block]
            blocks = mask[index].view(-1, lists.key_block)
            if partial:
                blocks[partial] = True
                mask[index] &= lists.sees(row, keys)
            if full:
                blocks[full] = True
        return mask[:, :lists.keys]

    def error(self, output, reference):
        """The relative Frobenius error of `output`, [1, heads, queries, head dimension], against reference()."""
        heads, rows, expected = reference
        actual = self.torch.stack([output[0, head, rows].double() for head in heads])
        return ((actual - expected).norm() / expected.norm()).item()
