"""processors.py KERNEL [ARGUMENT...]: compiles a kernel for sm_80 and assembles its PTX for each processor that the
target is for: a line each with what ptxas says of stack and spills, and whether its shared memory fits there."""

import json
import subprocess
import sys

LIMITS = {"sm_80": 163, "sm_86": 99, "sm_89": 99, "sm_90": 227, "sm_100": 227, "sm_120": 99}  # KiB a thread block
SPILLS = ("stack_bytes", "spill_store_bytes", "spill_load_bytes", "advisories")

for processor, limit in LIMITS.items():
    command = ["lacuna", "compile", sys.argv[1], "--target", "sm_80", "--processor", processor, "--report"]
    command += sys.argv[2:]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    report = json.loads(done.stdout)
    clean = not any(report[field] for field in SPILLS)
    fits = report["shared_bytes"] <= limit * 1024
    print(report["kernel"], processor, "clean" if clean else "SPILLS", "fits" if fits else "TOO MUCH SHARED MEMORY")
