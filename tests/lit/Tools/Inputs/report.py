"""report.py FIELD...: reads one JSON object from standard input and prints the fields, given as paths a.b.c, a line
each."""

import json
import sys

report = json.load(sys.stdin)
for path in sys.argv[1:]:
    value = report
    for name in path.split("."):
        value = value[name]
    print(path, "=", json.dumps(value, sort_keys=True))
