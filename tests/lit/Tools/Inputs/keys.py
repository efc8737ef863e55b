"""keys.py: the keys of `lacuna cache stat --json`, a line each."""

import json
import sys

for entry in json.load(sys.stdin)["entries"]:
    print(entry["key"])
