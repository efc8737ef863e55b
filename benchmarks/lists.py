"""Block lists as plain Python: which blocks of the score matrix of each head count.

The forms of a pattern:

    dense              every block, full
    causal             query i sees key j where j <= i + keys - queries; blocks on the diagonal are partial
    window:LEFT[:SINK] causal, and at most LEFT keys to the left or among the first SINK
    random:D           D of the blocks of each row, each head its own, full
    paired:D           the same, and rows 2r and 2r + 1 of blocks have one list
    shared:D           the same, and all heads have one list
    causal-random:D    the diagonal and random blocks below it, D of all blocks; the diagonal ones are partial
    powerlaw:D         rows of very different lengths, drawn from a power law, D of the blocks in the mean, full

Every row has at least one block. Equal seeds give equal lists.
"""

import array
import dataclasses
import random

# Tail index of the power law: the longest rows are tens of times the mean, and most are shorter than half of it.
POWER = 1.1


@dataclasses.dataclass
class BlockLists:
    """rows[head][row] = (partial blocks, full blocks), each ascending; one head where all share their lists."""
    queries: int
    keys: int
    query_block: int
    key_block: int
    rows: list
    causal: bool = False  # partial blocks are under the causal mask
    left: int | None = None  # and, where it is given, under that of a window
    sink: int = 0

    def keep(self):
        """The mask of partial blocks as the kernel's hook, or None."""
        window = f" && (i + N - M - j <= {self.left} || j < {self.sink})" if self.left is not None else ""
        return "j <= i + N - M" + window if self.causal else None

    def sees(self, row, keys):
        """Whether query `row` sees `keys`, a number or a tensor of them, by the mask of partial blocks."""
        distance = row + self.keys - self.queries - keys
        seen = distance >= 0
        return seen if self.left is None else seen & ((distance <= self.left) | (keys < self.sink))

    def csr(self):
        """(indptr, split, indices) as the runtime takes them, arrays of int32."""
        indptr, split, indices = (array.array("i", start) for start in ([0], [], []))
        for head in self.rows:
            for partial, full in head:
                indices.extend(partial)
                split.append(len(indices))
                indices.extend(full)
                indptr.append(len(indices))
        return indptr, split, indices

    def row_blocks(self):
        return -(-self.queries // self.query_block)

    def key_blocks(self):
        return -(-self.keys // self.key_block)

    def density(self):
        """The share of all blocks that is listed."""
        listed = sum(len(partial) + len(full) for head in self.rows for partial, full in head)
        return listed / (len(self.rows) * self.row_blocks() * self.key_blocks())

    def pairs(self, heads):
        """(query, key) pairs of the listed blocks over all `heads`, each block whole but for what lies past the end."""
        return self._sum(heads, lambda row, partial, full: sum(
            self._height(row) * self._width(block) for block in (*partial, *full)))

    def useful_pairs(self, heads):
        """The pairs that the mask keeps."""
        return self._sum(heads, lambda row, partial, full: sum(
            self._height(row) * self._width(block) for block in full) + sum(
                self._kept(row, block) for block in partial))

    def _sum(self, heads, count):
        total = sum(count(row, *lists) for head in self.rows for row, lists in enumerate(head))
        return total * heads // len(self.rows)

    def _height(self, row):
        return min(self.query_block, self.queries - row * self.query_block)

    def _width(self, block):
        return min(self.key_block, self.keys - block * self.key_block)

    def _kept(self, row, block):
        if self.left is not None:
            return self._kept_by_window(row, block)
        first = row * self.query_block + self.keys - self.queries - block * self.key_block
        return sum(min(max(first + i + 1, 0), self._width(block)) for i in range(self._height(row)))


    def _kept_by_window(self, row, block):
        begin, kept = block * self.key_block, 0
        end = begin + self._width(block)
        for i in range(self._height(row)):
            last = row * self.query_block + i + self.keys - self.queries
            sinks = max(min(self.sink, last + 1, end) - begin, 0)  # those of the first keys that lie in this block
            kept += sinks + max(min(last + 1, end) - max(last - self.left, self.sink, begin), 0)
        return kept


def build(pattern, queries, keys, block, heads, seed=1):
    """The lists of a pattern (see the top of the file) with blocks of `block` = (queries, keys)."""
    kind, _, argument = pattern.partition(":")
    lists = BlockLists(queries, keys, *block, rows=[], causal=kind.startswith("causal"))
    count, columns = lists.row_blocks(), lists.key_blocks()
    if kind == "dense":
        every = list(range(columns))
        lists.rows = [[([], every)] * count]
    elif kind == "causal":
        lists.rows = [[_causal_row(lists, row, columns) for row in range(count)]]
    elif kind == "window":
        numbers = [int(number) for number in argument.split(":")] + [0]
        lists.causal, lists.left, lists.sink = True, numbers[0], numbers[1]
        lists.rows = [[_window_row(lists, row, columns) for row in range(count)]]
    elif kind in MAKERS:
        number = 1 if kind == "shared" else heads
        density = float(argument)
        if not 0 < density <= 1:
            raise ValueError(f"the density of '{pattern}' must be above 0 and at most 1")
        lists.rows = [MAKERS[kind](lists, density, random.Random(seed * 1000003 + head)) for head in range(number)]
    else:
        raise ValueError(f"there is no pattern '{pattern}'; give dense, causal, window:LEFT[:SINK] or "
                         f"{', '.join(MAKERS)} with a density")
    return lists


def _causal_row(lists, row, columns):
    first = row * lists.query_block + lists.keys - lists.queries  # the last key that the row's first query sees
    full = range(max(0, min((first + 1) // lists.key_block, columns)))
    last = min((first + lists.query_block - 1) // lists.key_block, columns - 1)
    return list(range(len(full), last + 1)), list(full)


def _window_row(lists, row, columns):
    """A block is judged by its corners: the distance takes every value between them."""
    top = row * lists.query_block + lists.keys - lists.queries
    bottom = min((row + 1) * lists.query_block, lists.queries) - 1 + lists.keys - lists.queries
    partial, full = [], []
    for block in range(columns):
        begin, end = block * lists.key_block, min((block + 1) * lists.key_block, lists.keys)
        if begin > bottom or (top - (end - 1) > lists.left and begin >= lists.sink):
            continue
        beyond = max(begin, lists.sink)
        whole = end - 1 <= top and (beyond >= end or bottom - beyond <= lists.left)
        (full if whole else partial).append(block)
    return partial, full


def _some(wanted, random_, columns):
    """`wanted` blocks of `columns`, the fraction decided by chance."""
    number = int(wanted) + (random_.random() < wanted - int(wanted))
    return sorted(random_.sample(range(columns), min(max(number, 1), columns)))


def _random(lists, density, random_):
    columns = lists.key_blocks()
    return [([], _some(density * columns, random_, columns)) for _ in range(lists.row_blocks())]


def _paired(lists, density, random_):
    columns = lists.key_blocks()
    pairs = [([], _some(density * columns, random_, columns)) for _ in range((lists.row_blocks() + 1) // 2)]
    return [pairs[row // 2] for row in range(lists.row_blocks())]


def _causal_random(lists, density, random_):
    columns = lists.key_blocks()
    rows = [_causal_row(lists, row, columns) for row in range(lists.row_blocks())]
    visible = sum(len(partial) + len(full) for partial, full in rows)
    share = density * lists.row_blocks() * columns / visible
    made = []
    for partial, full in rows:
        wanted = share * (len(partial) + len(full)) - len(partial)
        made.append((partial, _some(wanted, random_, len(full)) if full and wanted > 0 else []))
    return made


def _power_law(lists, density, random_):
    columns, count = lists.key_blocks(), lists.row_blocks()
    draws = [random_.paretovariate(POWER) for _ in range(count)]
    total = round(density * columns * count)
    low, high = 0.0, float(columns)
    for _ in range(60):  # the factor that gives the total, with every length within 1 and all columns
        middle = (low + high) / 2
        if sum(min(max(middle * draw, 1), columns) for draw in draws) < total:
            low = middle
        else:
            high = middle
    lengths = [int(min(max(low * draw, 1), columns)) for draw in draws]
    for row in sorted(range(count), key=lambda row: lengths[row])[::-1]:  # what rounding took away
        lengths[row] += min(columns - lengths[row], max(0, total - sum(lengths)), 1)
    return [([], sorted(random_.sample(range(columns), length))) for length in lengths]


MAKERS = {"random": _random, "paired": _paired, "shared": _random, "causal-random": _causal_random,
          "powerlaw": _power_law}
