"""Times contenders against each other: in rounds, each contender in turn, in an order that changes.

Machines drift (clocks, power, temperature) by more than the differences that matter, so nothing is timed on its own:

  1. All contenders run in turn for at least half a second, so that the clocks are those of load.
  2. In each round every contender has one slot of 50 ms: a launch that is not timed, then as many back to back as fill
     the slot, between two events. Shorter slots scatter with the steps of the power controller.
  3. The order of a round is drawn anew, and taken backwards in the next, the same in every run: what ran before leaves
     its clock behind, so that neighbours must change.
  4. A contender's time is the median over the rounds of its slots' mean; the spread is from the first to the third
     quartile.

Where launching takes the host longer than running takes the GPU, every slot of every contender begins with an idle
wait on the GPU in which the host gets ahead, so that the GPU's time is measured and not Python's.
"""

import dataclasses
import random
import statistics
import time


@dataclasses.dataclass
class Timing:
    """Microseconds a launch."""
    median_us: float
    low_us: float
    high_us: float
    rounds: int
    launches: int
    host_us: float = 0  # of those, what enqueuing takes the host, Python included


class CudaClock:
    """Times launches on PyTorch's current stream. `flush`: the L2 cache is overwritten before every timed launch."""

    # Cycles a second that torch.cuda._sleep counts in, at most; a wait may be longer than asked for.
    CYCLES = 2.0e9

    def __init__(self, torch, flush=False):
        self.torch = torch
        self.buffer = torch.empty(256 << 20, dtype=torch.int8, device="cuda") if flush else None

    def synchronize(self):
        self.torch.cuda.synchronize()

    def _event(self):
        return self.torch.cuda.Event(enable_timing=True)

    def slot(self, run, count, lead):
        """Seconds a launch over `count` launches; `lead`: seconds that the host gets ahead."""
        if self.buffer is not None:
            return self._flushed_slot(run, count)
        if lead > 0:
            self.torch.cuda._sleep(int(lead * self.CYCLES))
        run()
        start, end = self._event(), self._event()
        start.record()
        for _ in range(count):
            run()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / count

    def _flushed_slot(self, run, count):
        events = []
        for _ in range(count):
            self.buffer.zero_()
            start, end = self._event(), self._event()
            start.record()
            run()
            end.record()
            events.append((start, end))
        events[-1][1].synchronize()
        return sum(start.elapsed_time(end) for start, end in events) / 1e3 / count

    def host_seconds(self, run, count):
        """Seconds that the host takes to enqueue a launch."""
        self.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            run()
        spent = time.perf_counter() - start
        self.synchronize()
        return spent / count


def order(names, round_):
    """The contenders of a round: shuffled, and every other round the one before backwards."""
    turned = random.Random(round_ // 2).sample(list(names), len(names))
    return turned[::-1] if round_ % 2 else turned


def measure(contenders, clock, rounds=15, slot_seconds=0.05, warm_seconds=0.5, most=200):
    """{name: Timing} for {name: function that enqueues one launch}. Each must have run before."""
    if not contenders:
        return {}
    each, hosts = {}, []
    for name, run in contenders.items():
        each[name] = max(clock.slot(run, 2, 0), 1e-7)
        hosts.append(clock.host_seconds(run, 3))
    counts = {name: int(min(max(round(slot_seconds / seconds), 2), most)) for name, seconds in each.items()}
    lead = 0.0
    if max(hosts) > 0.5 * min(each.values()):
        lead = min(1.5 * max(hosts) * (max(counts.values()) + 1), 0.05)
    names = list(contenders)
    warm_until = time.perf_counter() + warm_seconds
    while time.perf_counter() < warm_until:
        for name in names:
            clock.slot(contenders[name], counts[name], lead)
    slots = {name: [] for name in names}
    for round_ in range(rounds):
        for name in order(names, round_):
            slots[name].append(clock.slot(contenders[name], counts[name], lead))
    times = {name: summarise(slots[name], counts[name]) for name in names}
    for name in names:
        times[name].host_us = min(clock.host_seconds(contenders[name], 10) for _ in range(5)) * 1e6
    return times


def summarise(seconds, count):
    """The Timing of a contender's slots."""
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Timing(middle * 1e6, low * 1e6, high * 1e6, len(seconds), count)
