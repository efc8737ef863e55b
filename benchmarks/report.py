"""The table: from measurements to JSON and Markdown, with what was demanded and what was reached.

A row (see row()) is a plain dictionary, so that what was written can be read and drawn again:

    case         the fields of cases.Case
    executed     floating-point operations of all listed blocks, each whole; `useful`: of the pairs that the mask keeps
    density      the share of the blocks that is listed
    results      {contender: {median_us, low_us, high_us, tflops, error, kernel}} or {contender: {failed: why}}
    companions   {another case: the same of ours on it, timed in this row's rounds}: what demands on that case divide by
"""

import dataclasses
import json
import math


def row(case, lists):
    """A row without results."""
    fields = dataclasses.asdict(case)
    return {"case": fields, "executed": case.flops(lists.pairs(case.heads)),
            "useful": case.flops(lists.useful_pairs(case.heads)), "density": lists.density(), "results": {},
            "companions": {}}


def add(row_, name, timing, error, kernel=None):
    """Puts a contender's measurement into a row."""
    result = dataclasses.asdict(timing)
    result.update(tflops=row_["executed"] / timing.median_us / 1e6,
                  tflops_useful=row_["useful"] / timing.median_us / 1e6, error=error)
    if kernel:
        result["kernel"] = kernel
    row_["results"][name] = result


def rate(row_, name):
    """Executed TFLOP/s of a contender, or None."""
    return row_["results"].get(name, {}).get("tflops")


def judge(rows, ours="ours"):
    """Every demand with what was reached: {case, rival, demanded, reached, passed}; reached None: not measured."""
    verdicts = []
    for row_ in rows:
        for demand in row_["case"]["demands"]:
            kind, _, other = demand["rival"].partition(":")
            mine = rate(row_, ours)
            theirs = row_["companions"].get(other, {}).get("tflops") if kind == "case" else rate(row_, kind)
            reached = mine / theirs if mine and theirs else None
            verdicts.append({"case": row_["case"]["name"], "rival": demand["rival"], "demanded": demand["ratio"],
                             "reached": reached, "passed": reached is not None and reached >= demand["ratio"]})
    return verdicts


def schedule(kernel):
    """A kernel's description in a few words: its tile and what it takes of the machine."""
    if not kernel:
        return ""
    params = kernel.get("params", {})
    words = [f"{params.get('BM')}x{params.get('BN')}"]
    words += [f"{name}={value}" for name, value in params.items()
              if name not in ("BM", "BN", "D", "DV", "T", "QB", "KB")]
    words.append(f"{kernel.get('threads')} threads, {kernel.get('shared_bytes', 0) // 1024} KiB")
    if kernel.get("local_bytes"):
        words.append(f"{kernel['local_bytes']} B local")
    return ", ".join(words)


def columns(rows, ours):
    """The contenders of all rows: ours and its variants first, then the peers in the order met."""
    names = []
    for row_ in rows:
        names += [name for name in row_["results"] if name not in names]
    return sorted(names, key=lambda name: (name != ours, not _is_ours(rows, name)))


def _is_ours(rows, name):
    return any("kernel" in row_["results"].get(name, {}) for row_ in rows)


def cell(result, best):
    """TFLOP/s and half the spread in percent; the best of a row in bold."""
    if result is None:
        return ""
    if "failed" in result:
        return "failed"
    spread = (result["high_us"] - result["low_us"]) / result["median_us"] * 50
    text = f"{result['tflops']:.0f}"
    return (f"**{text}**" if result["tflops"] == best else text) + f" ±{spread:.1f}%"


def markdown(data):
    """The whole report as Markdown."""
    rows, ours = data["rows"], data["ours"]
    names = columns(rows, ours)
    verdicts = judge(rows, ours)
    lines = ["# Attention forward", "", data["machine"], "", data["method"], ""]
    head = ["case", "density", *names, "demanded", "reached", "tile of ours"]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row_ in rows:
        mine = [verdict for verdict in verdicts if verdict["case"] == row_["case"]["name"]]
        best = max((result.get("tflops", 0) for result in row_["results"].values()), default=0)
        cells = [row_["case"]["name"], f"{row_['density']:.3f}"]
        cells += [cell(row_["results"].get(name), best) for name in names]
        cells.append("<br>".join(f"{v['demanded']:.2f} x {v['rival'].removeprefix('case:')}" for v in mine))
        cells.append("<br>".join(verdict_text(v) for v in mine))
        cells.append(schedule(row_["results"].get(ours, {}).get("kernel")))
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Executed TFLOP/s, median and half the distance of the quartiles. "
              f"{sum(v['passed'] for v in verdicts)} of {len(verdicts)} demands met."]
    lines += notes(data)
    return "\n".join(lines) + "\n"


def verdict_text(verdict):
    if verdict["reached"] is None:
        return "not measured"
    return f"{verdict['reached']:.3f} {'pass' if verdict['passed'] else 'FAIL'}"


def notes(data):
    """What was left out and why, useful rates of masked rows, and the limit."""
    lines = []
    limits = data.get("limits") or {}
    if limits:
        lines += ["", "Limits: " + ", ".join(f"{name} {value:.0f} TFLOP/s" for name, value in limits.items()) + "."]
    masked = [row_ for row_ in data["rows"] if row_["useful"] < row_["executed"]]
    if masked:
        lines += ["", "Useful TFLOP/s, where blocks are partly masked:", ""]
        lines += [f"- {row_['case']['name']}: " + ", ".join(
            f"{name} {result['tflops_useful']:.0f}" for name, result in row_["results"].items()
            if "tflops_useful" in result) for row_ in masked]
    # A launch that runs for long hides what enqueuing takes.
    hosted = [row_ for row_ in data["rows"] if any(result.get("host_us", 0) > 0.1 * result.get("median_us", math.inf)
                                                   for result in row_["results"].values())]
    if hosted:
        lines += ["", "Microseconds that enqueuing takes the host, through Python, beside those that running takes the "
                  "GPU, where the former are a tenth or more of the latter for anyone:", ""]
        lines += [f"- {row_['case']['name']}: " + ", ".join(
            f"{name} {result['host_us']:.0f} of {result['median_us']:.0f}" for name, result in row_["results"].items()
            if "host_us" in result) for row_ in hosted]
    failures = [f"- {row_['case']['name']}, {name}: {result['failed']}" for row_ in data["rows"]
                for name, result in row_["results"].items() if "failed" in result]
    if failures:
        lines += ["", "Failed:", "", *failures]
    if data.get("missing"):
        lines += ["", "Not on this machine:", ""]
        lines += [f"- {name}: {reason}" for name, reason in data["missing"].items()]
    return lines


def line(row_):
    """One row for a terminal."""
    parts = []
    for name, result in row_["results"].items():
        parts.append(f"{name} failed" if "failed" in result else
                     f"{name} {result['tflops']:.0f} ({result['median_us']:.0f} us)")
    return f"{row_['case']['name']:28} " + "  ".join(parts)


def write(data, directory):
    """results.json and results.md in `directory`."""
    data["demands"] = judge(data["rows"], data["ours"])
    (directory / "results.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (directory / "results.md").write_text(markdown(data), encoding="utf-8")
