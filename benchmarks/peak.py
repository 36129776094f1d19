"""Run ``python ARGS`` and write its largest resident set in GiB: ``python -m benchmarks.peak RESULT ARGS...``.

This process is small on purpose: on Linux a child's peak is at least the size of the process that starts it.
"""

import resource
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    code = subprocess.run([sys.executable, *sys.argv[2:]], check=False).returncode
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    kib = peak / 1024 if sys.platform == "darwin" else peak
    Path(sys.argv[1]).write_text(f"{kib / 2**20}\n")
    sys.exit(code)
