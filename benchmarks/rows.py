"""All rows of BENCHMARKS.md, by name."""

from benchmarks.score_rows import SCORES
from benchmarks.speed_rows import SPEEDS

ROWS = {row.name: row for row in SCORES + SPEEDS}
