"""Run ``python ARGS`` and write its peak memory: ``python -m benchmarks.instruments.peak RESULT ARGS...``, in GiB.

This process is small on purpose: on Linux a child's peak is at least the size of the process that starts it.
"""

import resource
import subprocess
import sys
from pathlib import Path


def peak_gib(who: int) -> float:
    """Return the largest resident set of this process, ``resource.RUSAGE_SELF``, or of its children, in GiB."""
    peak = resource.getrusage(who).ru_maxrss
    return (peak / 1024 if sys.platform == "darwin" else peak) / 2**20


if __name__ == "__main__":
    code = subprocess.run([sys.executable, *sys.argv[2:]], check=False).returncode
    Path(sys.argv[1]).write_text(f"{peak_gib(resource.RUSAGE_CHILDREN)}\n")
    sys.exit(code)
