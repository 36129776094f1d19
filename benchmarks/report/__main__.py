"""``python -m benchmarks.report``."""

import sys

from benchmarks.report import main
from dlmodules.errors import UserError

try:
    main()
except UserError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
