"""trace.py FILE NAME...: FILE must be a trace whose spans nest in each thread and that has a span of each NAME."""

import collections
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    events = json.load(file)
threads = collections.defaultdict(list)
for event in events:
    assert event["ph"] == "X" and event["dur"] >= 0, event
    threads[event["pid"], event["tid"]].append(event)
for spans in threads.values():
    open_spans = []
    for span in sorted(spans, key=lambda span: (span["ts"], -span["dur"])):
        while open_spans and span["ts"] >= open_spans[-1]["ts"] + open_spans[-1]["dur"]:
            open_spans.pop()
        end = span["ts"] + span["dur"]
        assert not open_spans or end <= open_spans[-1]["ts"] + open_spans[-1]["dur"], (span, open_spans[-1])
        open_spans.append(span)
names = {event["name"] for event in events}
missing = [name for name in sys.argv[2:] if name not in names]
assert not missing, f"no span of {missing}; there are {sorted(names)}"
print(len(threads), "threads,", sum(event["name"] == "compile" for event in events), "compilations")
