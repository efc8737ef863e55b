"""A small matrix product in Triton, for the host times of benchmarks/jit.py; importing it needs Triton."""

import triton
import triton.language as tl


@triton.jit
def _product(a, b, c, size, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
    for start in range(0, size, BLOCK):
        terms = start + tl.arange(0, BLOCK)
        total += tl.dot(tl.load(a + rows[:, None] * size + terms[None, :]),
                        tl.load(b + terms[:, None] * size + columns[None, :]))
    tl.store(c + rows[:, None] * size + columns[None, :], total.to(tl.float16))


def product(torch, size, block=64):
    """A function that enqueues c = a b for square matrices of `size`, a multiple of `block`."""
    a, b, c = (torch.ones((size, size), dtype=torch.float16, device="cuda") for _ in range(3))
    grid = (size // block, size // block)
    return lambda: _product[grid](a, b, c, size, BLOCK=block)
