"""All rows of BENCHMARKS.md, by name."""

from benchmarks.code_rows import CODE_SCORES
from benchmarks.gan_rows import GAN_SCORES
from benchmarks.score_rows import SYSTEM_SCORES
from benchmarks.speed_rows import SPEEDS
from benchmarks.table_rows import TABLES

SCORES = SYSTEM_SCORES + CODE_SCORES + GAN_SCORES
ROWS = {row.name: row for row in SCORES + TABLES + SPEEDS}
