"""Our kernel in this process, through liblacuna_bench.so (native/AttentionBench.h)."""

import ctypes
import dataclasses
import json
import os
import pathlib


class OursError(RuntimeError):
    """What the library says of a failed call."""


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_char_p), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * 4), ("strides", ctypes.c_int64 * 4)]


class _Lists(ctypes.Structure):
    _fields_ = [("indptr", ctypes.c_void_p), ("split", ctypes.c_void_p), ("indices", ctypes.c_void_p),
                ("order", ctypes.c_void_p), ("batches", ctypes.c_int64), ("heads", ctypes.c_int64),
                ("row_blocks", ctypes.c_int64), ("entries", ctypes.c_int64)]


class _Spec(ctypes.Structure):
    _fields_ = [("head_dim", ctypes.c_int64), ("query_block", ctypes.c_int64), ("key_block", ctypes.c_int64),
                ("dtype", ctypes.c_char_p), ("keep", ctypes.c_char_p), ("pattern", ctypes.c_char_p),
                ("source", ctypes.c_char_p), ("params", ctypes.POINTER(ctypes.c_char_p)),
                ("num_params", ctypes.c_size_t)]


def tensor(address, dtype, shape, strides=None):
    """A view of memory for Kernel.bind: strides in elements, without gaps where they are left out."""
    if strides is None:
        strides = [1] * len(shape)
        for axis in reversed(range(len(shape) - 1)):
            strides[axis] = strides[axis + 1] * shape[axis + 1]
    numbers = ctypes.c_int64 * 4
    return _Tensor(address, dtype.encode(), len(shape), numbers(*shape), numbers(*strides))


def block_lists(indptr, split, indices, heads, row_blocks, entries, order=None):
    """Lists for Kernel.bind: addresses of the three arrays, and of the order of programs."""
    return _Lists(indptr, split, indices, order, 1, heads, row_blocks, entries)


def find_library():
    """The library of this build or bundle, or None."""
    root = pathlib.Path(__file__).resolve().parent.parent
    for folder in ("build/lib", "lib"):
        if (root / folder / "liblacuna_bench.so").is_file():
            return root / folder / "liblacuna_bench.so"
    return None


class Library:
    """The library with one machine open: GPU `ordinal`, or the CPU for -1. Raises OSError, OursError."""

    def __init__(self, path, ordinal):
        library = ctypes.CDLL(str(path))
        handle, text = ctypes.c_void_p, ctypes.c_char_p
        pointer = ctypes.POINTER
        signatures = {
            "error": (text, []),
            "open": (ctypes.c_int, [ctypes.c_int, pointer(handle)]),
            "close": (None, [handle]),
            "compile": (ctypes.c_int, [handle, pointer(_Spec), pointer(handle)]),
            "describe": (text, [handle]),
            "free_kernel": (None, [handle]),
            "best_block": (ctypes.c_int, [ctypes.c_int64, text, *[pointer(ctypes.c_int64)] * 2]),
            "pair_rows": (ctypes.c_int, [pointer(_Lists), ctypes.c_int64, *[pointer(ctypes.c_int32)] * 3]),
            "pack": (ctypes.c_int, [handle, pointer(_Spec), *[pointer(_Tensor)] * 2, pointer(_Lists),
                                    *[pointer(ctypes.c_int64)] * 2]),
            "programs": (ctypes.c_size_t, [handle, pointer(_Tensor)]),
            "order": (ctypes.c_int, [handle, *[pointer(_Tensor)] * 2, pointer(_Lists), ctypes.c_int64,
                                     pointer(ctypes.c_int32), ctypes.c_size_t]),
            "bind": (ctypes.c_int, [handle, *[pointer(_Tensor)] * 3, pointer(_Lists), *[pointer(_Tensor)] * 2,
                                    ctypes.c_float, pointer(handle)]),
            "plan_attention": (ctypes.c_int, [handle, pointer(_Spec), *[pointer(_Tensor)] * 2, pointer(_Lists),
                                              ctypes.c_int64, pointer(handle)]),
            "describe_plan": (text, [handle]),
            "plan_workspace": (ctypes.c_size_t, [handle]),
            "bind_plan": (ctypes.c_int, [handle, *[pointer(_Tensor)] * 5, ctypes.c_float, handle, ctypes.c_size_t,
                                         pointer(handle)]),
            "free_plan": (None, [handle]),
            "run": (ctypes.c_int, [handle, handle]),
            "free_launch": (None, [handle]),
        }
        for name, (result, arguments) in signatures.items():
            function = getattr(library, "lacuna_bench_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.handle = handle()
        self.check(self.open(ordinal, ctypes.byref(self.handle)))

    def check(self, status):
        if status:
            raise OursError(self.error().decode())

    def paired_rows(self, lists, query_block):
        """(indptr, split, indices) of `lists` (host memory), rows twice as high where neighbouring ones are equal; or
        None."""
        rows = lists.batches * lists.heads * lists.row_blocks
        arrays = [(ctypes.c_int32 * max(length, 1))() for length in (rows + 1, rows, lists.entries)]
        if not self.pair_rows(ctypes.byref(lists), query_block, *arrays):
            return None
        paired = lists.batches * lists.heads * (-(-lists.row_blocks // 2))
        return arrays[0][:paired + 1], arrays[1][:paired], arrays[2][:arrays[0][paired]]

    def packed_tile(self, q, k, lists, head_dim, dtype, block, pattern=None):
        """(heads, queries) of a tile where one launch had better pack heads, else None. `lists`: in host memory."""
        tile = ctypes.c_int64(), ctypes.c_int64()
        spec = self.spec(head_dim, dtype, block, pattern=pattern)
        self.check(self.pack(self.handle, *map(ctypes.byref, (spec, q, k, lists, *tile))))
        heads, queries = (extent.value for extent in tile)
        return (heads, queries) if heads > 1 else None

    def fastest_block(self, head_dim, pattern):
        """The block (and with it the tile) that was measured fastest where a case leaves it open."""
        block = ctypes.c_int64(), ctypes.c_int64()
        self.check(self.best_block(head_dim, pattern.encode(), *map(ctypes.byref, block)))
        return tuple(extent.value for extent in block)

    def spec(self, head_dim, dtype, block, params=(), keep=None, source=None, pattern=None):
        def encoded(value):
            return value.encode() if value is not None else None
        array = (ctypes.c_char_p * max(len(params), 1))(*(param.encode() for param in params))
        return _Spec(head_dim, *block, dtype.encode(), encoded(keep), encoded(pattern), encoded(source), array,
                     len(params))

    def plan(self, q, k, lists, splits, head_dim, dtype, block, params=(), keep=None):
        """A Plan for `lists` in host memory: the longest row in `splits` parts, 0: as many as the rule says."""
        plan = ctypes.c_void_p()
        spec = self.spec(head_dim, dtype, block, params, keep)
        self.check(self.plan_attention(self.handle, *map(ctypes.byref, (spec, q, k, lists)), splits,
                                       ctypes.byref(plan)))
        return Plan(self, plan)

    def compile_attention(self, head_dim, dtype, block, params=(), keep=None, source=None, pattern=None):
        """A Kernel. `params`: NAME=VALUE each; `keep`: the mask of partial blocks; `source`: another .tile text;
        `pattern`: what the kernel computes in place of lists."""
        spec = self.spec(head_dim, dtype, block, params, keep, source, pattern)
        kernel = ctypes.c_void_p()
        self.check(self.compile(self.handle, ctypes.byref(spec), ctypes.byref(kernel)))
        return Kernel(self, kernel)


class Kernel:
    """A compiled kernel; `description` is what lacuna_bench_describe says."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle
        self.description = json.loads(library.describe(handle).decode())

    def __del__(self):
        self.library.free_kernel(self.handle)

    def program_order(self, q, k, lists, query_block):
        """The order in which programs had best run, as a ctypes array, or None. `lists`: in host memory."""
        count = self.library.programs(self.handle, ctypes.byref(q))
        order = (ctypes.c_int32 * count)()
        if count:
            self.library.check(self.library.order(self.handle, ctypes.byref(q), ctypes.byref(k), ctypes.byref(lists),
                                                  query_block, order, count))
        return order if count else None

    def bind(self, q, k, v, lists, o, lse, scale):
        launch = ctypes.c_void_p()
        views = [ctypes.byref(view) for view in (q, k, v, lists, o, lse)]
        self.library.check(self.library.bind(self.handle, *views, scale, ctypes.byref(launch)))
        return Launch(self.library, launch)


class Plan:
    """A planned attention, whose rows may run in parts, in a workspace of so many bytes; `description` is what
    lacuna_bench_describe_plan says."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle
        self.description = json.loads(library.describe_plan(handle).decode())
        self.workspace_bytes = library.plan_workspace(handle)

    def __del__(self):
        self.library.free_plan(self.handle)

    def bind(self, q, k, v, o, lse, scale, workspace=None):
        """`workspace`: its address."""
        launch = ctypes.c_void_p()
        views = [ctypes.byref(view) for view in (q, k, v, o, lse)]
        self.library.check(self.library.bind_plan(self.handle, *views, scale, workspace, self.workspace_bytes,
                                                  ctypes.byref(launch)))
        return Launch(self.library, launch)


class Launch:
    """A kernel bound to memory, which the caller keeps: call it with a CUDA stream's address."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    def __del__(self):
        self.library.free_launch(self.handle)

    def __call__(self, stream=None):
        if self.library.run(self.handle, stream):
            raise OursError(self.library.error().decode())


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to compile ours: params of the kernel, environment variables (LACUNA_...), perhaps another text, and the
    parts of the longest row (0: by the rule; None: one launch, but for cases of the operator)."""
    name: str = "ours"
    params: tuple = ()
    environment: tuple = ()
    source: str = ""
    split: int | None = None
    from_memory: bool = False  # lists in memory also where a formula says the same; parts always read them

    @staticmethod
    def parse(name, words):
        """NAME=VALUE each; LACUNA_X=VALUE is an environment variable, source=FILE another text of the kernel,
        split=auto or split=N parts of the longest row; lists=memory reads lists also where a formula says the same."""
        params, environment, source, split, from_memory = [], [], "", None, False
        for word in words:
            key, equals, value = word.partition("=")
            if not key or not equals:
                raise ValueError(f"'{word}' is no NAME=VALUE")
            if key == "source":
                source = value
            elif key == "split":
                if value != "auto" and not value.isdecimal():
                    raise ValueError(f"'{word}' is neither split=auto nor split=NUMBER")
                split = 0 if value == "auto" else int(value)
            elif key == "lists":
                if value != "memory":
                    raise ValueError(f"'{word}': the lists are of a formula by themselves; give lists=memory")
                from_memory = True
            elif key.startswith("LACUNA_"):
                environment.append((key, value))
            else:
                params.append(word)
        if source and split is not None:
            raise ValueError("source and split do not go together: parts run the library's own kernels")
        return Variant(name, tuple(params), tuple(environment), source, split, from_memory)

    def synthesises(self, case):
        """Whether the kernel computes its blocks, and so needs no lists."""
        return case.free_block() and not self.from_memory and self.parts(case) is None

    def parts(self, case):
        """The parts of the longest row, 0: as many as the operator says; None: one launch of one kernel."""
        tile_given = any(param.split("=")[0] in ("BM", "R", "L") for param in self.params)
        by_rule = case.operator and not self.source and not tile_given
        return 0 if self.split is None and by_rule else self.split

    def block(self, case, library):
        """The block of the lists: where the case's pattern has none of its own, QB and KB of the params or the best
        known."""
        if not case.free_block():
            return case.block
        values = dict(param.split("=", 1) for param in self.params)
        best = library.fastest_block(case.head_dim, case.pattern)
        return int(values.get("QB", best[0])), int(values.get("KB", best[1]))

    def params_for(self, case):
        return [param for param in self.params if case.free_block() or param.split("=")[0] not in ("QB", "KB")]

    def compile(self, library, case, keep, block, packed=None):
        """The Kernel for a case with lists of `block`; `packed`: the heads and queries of a tile. Raises OursError."""
        params = self.params_for(case) + ([f"R={packed[0]}", f"L={packed[1]}"] if packed else [])
        source = pathlib.Path(self.source).read_text(encoding="utf-8") if self.source else None
        before = {name: os.environ.get(name) for name, _ in self.environment}
        os.environ.update(self.environment)
        try:
            return library.compile_attention(case.head_dim, case.dtype, block, params,
                                             keep=keep, source=source,
                                             pattern=case.pattern if self.synthesises(case) else None)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Ours:
    """A variant of ours as a contender on the GPU, through PyTorch's memory and stream."""

    def __init__(self, torch, library, variant):
        self.torch, self.library, self.variant, self.name = torch, library, variant, variant.name

    def refuses(self, case):
        """Why not, where the variant is not another than the first."""
        anyway = not case.free_block() or self.variant.parts(case) is not None
        return "the lists lie in memory anyway" if anyway and self.variant.from_memory else None

    def packed(self, case, q, k, lists, block, listed):
        """The heads and queries of a tile where heads are packed: as params say, or by the library's rule."""
        if self.variant.source or any(param.split("=")[0] in ("BM", "R", "L") for param in self.variant.params):
            return None
        return self.library.packed_tile(q, k, lists, case.head_dim, case.dtype, block,
                                        None if listed else case.pattern)

    def prepare(self, problem):
        """(function that enqueues one launch and gives O, what the kernel became)."""
        torch, case = self.torch, problem.case
        lists = problem.lists_for(self.variant.block(case, self.library))
        arrays, block, row_blocks = lists.csr(), (lists.query_block, lists.key_block), lists.row_blocks()

        def on_host(parts):
            host = [torch.tensor(part, dtype=torch.int32) for part in parts]
            return host, block_lists(*(part.data_ptr() for part in host), len(lists.rows), row_blocks, len(host[2]))
        host, handle = on_host(arrays)
        listed = not self.variant.synthesises(case)
        while listed and block[0] < 128 and (paired := self.library.paired_rows(handle, block[0])):
            block, row_blocks = (2 * block[0], block[1]), -(-row_blocks // 2)
            host, handle = on_host(paired)
        o = torch.full_like(problem.q, float("nan"))
        lse = torch.full(problem.q.shape[:3], float("nan"), dtype=torch.float32, device="cuda")

        def view(array, dtype):
            return tensor(array.data_ptr(), dtype, list(array.shape), list(array.stride()))
        q, k, v = (view(array, case.dtype) for array in (problem.q, problem.k, problem.v))
        stream = torch.cuda.current_stream
        if (parts := self.variant.parts(case)) is not None:
            plan = self.library.plan(q, k, handle, parts, case.head_dim, case.dtype, block,
                                     self.variant.params_for(case), lists.keep())
            workspace = torch.empty(max(plan.workspace_bytes, 1), dtype=torch.uint8, device="cuda")
            launch = plan.bind(q, k, v, view(o, case.dtype), view(lse, "f32"), problem.scale, workspace.data_ptr())

            def run_plan(kept=(workspace, lse, plan)):  # the launch holds addresses only
                launch(stream().cuda_stream)
                return o
            return run_plan, plan.description
        kernel = self.variant.compile(self.library, case, lists.keep(), block,
                                      self.packed(case, q, k, handle, block, listed))
        extents = len(lists.rows), row_blocks, len(host[2])
        order = kernel.program_order(q, k, handle, block[0])
        parts = [part.cuda() for part in host] if listed else [part[:1].cuda() for part in host]  # not read
        if order:
            parts.append(torch.tensor(order, dtype=torch.int32, device="cuda"))
        launch = kernel.bind(q, k, v,
                             block_lists(*(part.data_ptr() for part in parts[:3]), *extents,
                                         parts[3].data_ptr() if order else None),
                             view(o, case.dtype), view(lse, "f32"), problem.scale)

        def run(kept=(parts, lse)):  # the launch holds addresses only
            launch(stream().cuda_stream)
            return o
        return run, kernel.description
