"""All rows of BENCHMARKS.md, by name."""

from benchmarks.score_rows import SCORES
from benchmarks.speed_rows import SPEEDS
from benchmarks.table_rows import TABLES

ROWS = {row.name: row for row in SCORES + TABLES + SPEEDS}
