"""``train.py`` with Lightning's training loop as it is: ``python -m benchmarks.instruments.whole_loop fit ...``."""

import sys

from dlmodules_cli import lean
from dlmodules_cli.main import main

if __name__ == "__main__":
    lean.KNOWN = "none"  # the version of Lightning that is made leaner
    main(sys.argv[1:])
