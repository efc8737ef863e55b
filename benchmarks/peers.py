"""The peers: one class each, with what it needs, what it can run, and how it is called.

    missing()         why this machine cannot run it, or None; may import
    refuses(case)     why it has no form of the case, or None
    prepare(problem)  a function that enqueues one launch on the current stream and gives O, [1, heads, queries, D]
"""

import importlib


class Peer:
    name = title = ""
    slow = False  # left out of --quick
    patterns = None  # the patterns it has; None: all, through lists

    def __init__(self, torch):
        self.torch = torch

    def missing(self):
        return None

    def refuses(self, case):
        if self.patterns is not None and case.pattern not in self.patterns:
            return "no block lists"
        if case.pattern == "causal" and case.queries != case.keys:
            return "causal with another alignment"
        return None

    def _import(self, module):
        """Why `module` cannot be imported, or None; the module is self.module."""
        try:
            self.module = importlib.import_module(module)
        except Exception as error:  # an extension built for another PyTorch fails in any way
            return f"{module} cannot be imported: {type(error).__name__}: {error}".splitlines()[0]
        return None


class SdpaPeer(Peer):
    """A back end of torch.nn.functional.scaled_dot_product_attention."""
    patterns = ("dense", "causal")
    backend = ""

    def prepare(self, problem):
        torch, case = self.torch, problem.case
        from torch.nn.attention import SDPBackend, sdpa_kernel
        attend = torch.nn.functional.scaled_dot_product_attention
        backend = getattr(SDPBackend, self.backend)
        options = {"is_causal": case.pattern == "causal", "scale": problem.scale,
                   "enable_gqa": case.heads != case.kv_heads}

        def run():
            with sdpa_kernel(backend):
                return attend(problem.q, problem.k, problem.v, **options)
        return run


class Cudnn(SdpaPeer):
    name, title, backend = "cudnn", "cuDNN (PyTorch SDPA)", "CUDNN_ATTENTION"

    def missing(self):
        return None if self.torch.backends.cudnn.is_available() else "this PyTorch has no cuDNN"


class FlashSdpa(SdpaPeer):
    name, title, backend, slow = "flash-sdpa", "FlashAttention-2 (PyTorch SDPA)", "FLASH_ATTENTION", True


class Flex(Peer):
    """FlexAttention without a mask, compiled and not tuned, Triton back end."""
    name, title, slow = "flex", "FlexAttention, no mask", True
    patterns = ("dense",)
    options = {}

    def missing(self):
        return self._import("triton") or self._import("torch.nn.attention.flex_attention")

    def mask(self, problem):
        return None

    def prepare(self, problem):
        torch, case = self.torch, problem.case
        compiled = torch.compile(self.module.flex_attention, dynamic=False)
        options = dict(self.options)
        if min(case.block) < 128 and not options:  # its default tile is 128 wide
            options.update(BLOCK_M=case.block[0], BLOCK_N=case.block[1])
        if case.queries < 128:  # its kernel for short queries wants all heads of a KV head within one block
            options.setdefault("BACKEND", "TRITON")
        mask = self.mask(problem)

        def run():
            return compiled(problem.q, problem.k, problem.v, block_mask=mask, scale=problem.scale,
                            enable_gqa=case.heads != case.kv_heads, kernel_options=options or None)
        return run


class FlexLists(Flex):
    """FlexAttention over the very lists that ours has."""
    name, title, slow = "flex-list", "FlexAttention, block lists (Triton)", False
    patterns = None

    def mask(self, problem):
        torch, lists = self.torch, problem.lists
        offset = lists.keys - lists.queries

        def ordered(part):
            """(numbers, indices) of the partial (0) or full (1) blocks, padded to all columns."""
            shape = 1, len(lists.rows), lists.row_blocks()
            rows = [row[part] for head in lists.rows for row in head]
            number = torch.tensor([len(row) for row in rows], dtype=torch.int32).view(shape)
            indices = torch.zeros(len(rows), lists.key_blocks(), dtype=torch.int32)
            for index, row in enumerate(rows):
                if row:
                    indices[index, :len(row)] = torch.tensor(row, dtype=torch.int32)
            return number.cuda(), indices.view(*shape, -1).cuda()

        if lists.left is not None:
            left, sink = lists.left, lists.sink

            def keep(b, h, i, j):
                return (i + offset >= j) & ((i + offset - j <= left) | (j < sink))
        elif lists.causal:
            def keep(b, h, i, j):
                return i + offset >= j
        else:
            def keep(b, h, i, j):
                return i >= 0
        lengths = {}
        if lists.queries % lists.query_block or lists.keys % lists.key_block:
            lengths["seq_lengths"] = lists.queries, lists.keys
        return self.module.BlockMask.from_kv_blocks(*ordered(0), *ordered(1), BLOCK_SIZE=problem.case.block,
                                                    mask_mod=keep, **lengths)


class FlexFlash(FlexLists):
    """The same through FlexAttention's FLASH back end, which is FlashAttention-4."""
    name, title = "flex-flash", "FlexAttention, block lists (FLASH back end)"
    options = {"BACKEND": "FLASH"}

    def missing(self):
        return self._import("flash_attn.cute") or super().missing()


class FlashAttention3(Peer):
    name, title = "fa3", "FlashAttention-3"
    patterns = ("dense", "causal")
    package = "flash_attn_interface"

    def missing(self):
        return self._import(self.package)

    def prepare(self, problem):
        q, k, v = (tensor.transpose(1, 2) for tensor in (problem.q, problem.k, problem.v))
        causal = problem.case.pattern == "causal"

        def run():
            result = self.module.flash_attn_func(q, k, v, softmax_scale=problem.scale, causal=causal)
            return (result[0] if isinstance(result, tuple) else result).transpose(1, 2)
        return run


class FlashAttention4(FlashAttention3):
    name, title, package = "fa4", "FlashAttention-4 (CuTe)", "flash_attn.cute"


class FlashInfer(Peer):
    """Its dense kernel, and its variable block-sparse wrapper for lists of full blocks."""
    name, title = "flashinfer", "FlashInfer"

    def missing(self):
        return self._import("flashinfer")

    def refuses(self, case):
        if case.pattern.startswith(("causal-", "window")):
            return "no partial blocks"
        return super().refuses(case)

    def prepare(self, problem):
        case = problem.case
        if case.free_block():
            q = problem.q[0].transpose(0, 1).contiguous()
            attend = self.module.single_prefill_with_kv_cache
            return lambda: attend(q, problem.k[0], problem.v[0], causal=case.pattern == "causal", kv_layout="HND",
                                  sm_scale=problem.scale).transpose(0, 1)[None]
        return self._prepare_lists(problem)

    def _prepare_lists(self, problem):
        torch, case, lists = self.torch, problem.case, problem.lists
        table = torch.zeros(case.kv_heads, lists.row_blocks(), lists.key_blocks(), dtype=torch.bool)
        for head in range(case.kv_heads):
            for row, (_, full) in enumerate(lists.rows[head if len(lists.rows) > 1 else 0]):
                table[head, row, full] = True
        wrapper = self.module.VariableBlockSparseAttentionWrapper(
            torch.empty(512 << 20, dtype=torch.uint8, device="cuda"), backend="auto")
        sizes = [torch.full((case.kv_heads, count), block, dtype=torch.int32, device="cuda")
                 for count, block in ((lists.row_blocks(), case.block[0]), (lists.key_blocks(), case.block[1]))]
        wrapper.plan(table.cuda(), *sizes, case.heads, case.kv_heads, case.head_dim, sm_scale=problem.scale,
                     q_data_type=problem.q.dtype)
        return lambda: wrapper.run(problem.q[0], problem.k[0], problem.v[0])[None]


PEERS = (Cudnn, FlashSdpa, Flex, FlexLists, FlexFlash, FlashAttention3, FlashAttention4, FlashInfer)


def find(torch, quick=False, wanted=None):
    """(peers that can run here, {name: why not} of the others)."""
    found, missing = [], {}
    for kind in PEERS:
        peer = kind(torch)
        if wanted is not None and peer.name not in wanted or wanted is None and quick and peer.slow:
            continue
        reason = peer.missing()
        if reason:
            missing[peer.name] = reason
        else:
            found.append(peer)
    return found, missing
