"""All rows, by family and by name: a module of this package is a family and has its ``ROWS``.

A family may have several files: ``rl_semi_gradient_tables`` is of the family ``rl``, what stands before the first
underscore of a name that ends in ``_tables`` or ``_lessons``.
A module names its tables of variants in ``TABLES``.
"""

import pkgutil
from importlib import import_module

from benchmarks.row import Row

FAMILIES: dict[str, tuple[Row, ...]] = {}
TABLE_TITLES: dict[str, str] = {}
for _module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    _found = import_module(f"{__name__}.{_module}")
    if hasattr(_found, "ROWS"):
        _family = _module.partition("_")[0] if _module.endswith(("_tables", "_lessons")) else _module
        FAMILIES[_family] = (*FAMILIES.get(_family, ()), *_found.ROWS)
        TABLE_TITLES |= getattr(_found, "TABLES", {})

ROWS = {row.name: row for rows in FAMILIES.values() for row in rows}
FAMILY_OF = {row.name: family for family, rows in FAMILIES.items() for row in rows}
SCORES = tuple(row for row in ROWS.values() if row.kind == "score")
TABLES = tuple(row for row in ROWS.values() if row.kind == "table")
SPEEDS = tuple(row for row in ROWS.values() if row.kind in ("speed", "memory"))
