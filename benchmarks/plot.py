#!/usr/bin/env python3
"""Draws what ./dev bench measured: plot.py results.json -o plot.png

Two panels, bf16, D = 128: executed TFLOP/s against density (random lists of 128x128 blocks, S = 32k; dense as density
1) and against length (dense, and random lists of density 0.1). Needs matplotlib.
"""

import argparse
import json
import pathlib
import sys


def points(rows, name, chosen, x):
    """[(x, TFLOP/s)] of a contender in the rows that `chosen` picks, ascending."""
    found = []
    for row in rows:
        result = row["results"].get(name, {})
        if chosen(row["case"]) and "tflops" in result:
            found.append((x(row), result["tflops"]))
    return sorted(found)


def main_line(case):
    """Whether a case belongs to the plots: bf16, D = 128, 128x128 blocks, as many keys as queries."""
    return (case["head_dim"] == 128 and case["dtype"] == "bf16" and list(case["block"]) == [128, 128]
            and case["queries"] == case["keys"] and case["heads"] == case["kv_heads"])


def panels(rows):
    """(title, axis, [(label, contender, line style, points)]) of each panel."""
    names = []
    for row in rows:
        names += [name for name in row["results"] if name not in names]

    def sparse(case):
        return main_line(case) and case["queries"] == 32768 and case["pattern"].split(":")[0] in ("random", "dense")

    def dense(case):
        return main_line(case) and case["pattern"] == "dense"

    def tenth(case):
        return main_line(case) and case["pattern"] == "random:0.1"
    density = [(name, name, "-", points(rows, name, sparse, lambda row: row["density"])) for name in names]
    length = [(f"{name}, {label}", name, style, points(rows, name, chosen, lambda row: row["case"]["queries"]))
              for label, style, chosen in (("dense", "-", dense), ("10 %", "--", tenth)) for name in names]
    return [("random lists, 128x128 blocks, S = 32k", "density", [entry for entry in density if entry[3]]),
            ("dense, and random lists of density 0.1", "length", [entry for entry in length if entry[3]])]


def draw(data, output):
    """Writes the PNG. Raises ImportError without matplotlib."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, 2, figsize=(14, 6), sharey=True)
    colours = {}
    for axis, (title, label, entries) in zip(axes, panels(data["rows"])):
        for text, name, style, values in entries:
            colour = colours.setdefault(name, f"C{len(colours) % 10}")
            axis.plot(*zip(*values), style, color=colour, marker="o", label=text,
                      linewidth=2.5 if name == data["ours"] else 1.2)
        for text, limit in (data.get("limits") or {}).items():
            axis.axhline(limit, color="grey", linestyle=":")
            axis.annotate(f"{text}: {limit:.0f}", (0.01, limit), xycoords=("axes fraction", "data"), va="bottom",
                          fontsize=8)
        axis.set_xscale("log")
        axis.set_title(title)
        axis.set_xlabel(label)
        ticks = sorted({x for entry in entries for x, _ in entry[3]})
        axis.set_xticks(ticks, [f"{tick:.2g}" if tick < 2 else f"{tick // 1024}k" for tick in ticks])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        if entries:
            axis.legend(fontsize=8)
    axes[0].set_ylabel("executed TFLOP/s")
    figure.suptitle(data["machine"])
    figure.tight_layout()
    figure.savefig(output, dpi=110)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("-o", "--output", default="plot.png")
    arguments = parser.parse_args()
    try:
        draw(json.loads(arguments.results.read_text(encoding="utf-8")), arguments.output)
    except ImportError as error:
        print(f"plot.py: {error}; install matplotlib", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
