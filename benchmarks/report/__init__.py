"""Write the reports from the records: ``python -m benchmarks.report``.

BENCHMARKS.md, a page for each family, ``benchmarks/results.csv``, and the snippets that pages
include. It needs no torch.
"""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.history import commits, sound
from benchmarks.record import RECORDS, ROOT, Record, read_records
from benchmarks.report.agents import agents_compared
from benchmarks.report.archive import archive
from benchmarks.report.configurations import variants
from benchmarks.report.correlations import correlations
from benchmarks.report.equal_updates import equal_updates
from benchmarks.report.families import family_page
from benchmarks.report.gallery import gallery
from benchmarks.report.overview import overview
from benchmarks.report.registry import public
from benchmarks.report.snippets import attribute_snippet, guide_snippets, system_snippet
from benchmarks.report.standing import by_row
from benchmarks.rows import FAMILIES, ROWS, TABLE_TITLES

SNIPPETS = "benchmarks/snippets"
NORMALIZED_CRITIC = ("gan_table_04", "gan_ablations_11", "gan_ablations_04")  # WGAN without, and with
# Where nothing lies but what is written here.
OWN_FOLDERS = (SNIPPETS, "docs/benchmarks")


def generated(records: Iterable[Record]) -> dict[str, str]:
    """Return the text of every file by its path in the checkout. Raises UserError for a record of an unknown row."""
    rows = tuple(ROWS.values())
    found = by_row(records, rows)
    systems = public()
    files = {"BENCHMARKS.md": overview(systems, rows, found)}
    files["benchmarks/results.csv"] = archive(rows, found)
    titles = {system.family: system.title.lower() for system in systems}
    for family, own in FAMILIES.items():
        files[f"docs/benchmarks/{family}.md"] = family_page(titles.get(family, family), own, found, TABLE_TITLES)
    for system in systems:
        files[f"{SNIPPETS}/systems/{system.page}.md"] = system_snippet(system, rows, found, TABLE_TITLES)
    for name in TABLE_TITLES:
        files[f"{SNIPPETS}/{name}.md"] = variants([row for row in rows if row.table == name], found)
    for name, text in guide_snippets(ROWS, found).items():
        files[f"{SNIPPETS}/{name}.md"] = text
    compared = [row for row in rows if row.table == "gan_table"]
    files[f"{SNIPPETS}/gan_correlations.md"] = correlations(compared, found)
    normalized = [ROWS[name] for name in NORMALIZED_CRITIC]
    files[f"{SNIPPETS}/gan_normalized_critic.md"] = equal_updates(normalized, found)
    files[f"{SNIPPETS}/agents.md"] = agents_compared(FAMILIES["rl"], found)
    files[f"{SNIPPETS}/attributes.md"] = attribute_snippet(ROWS["avatars_attributes"], found)
    files[f"{SNIPPETS}/gallery.md"] = gallery(systems, rows, found)
    return files


def main() -> None:
    """Write every file, and remove those that no record or system has any more.

    Raises UserError where a record does not stand.
    """
    known = commits()
    if known is None:
        print("not all of the history is here: that the records' commits are in it is not checked")
    files = generated(sound(read_records(RECORDS), known))
    for folder in OWN_FOLDERS:
        for path in (ROOT / folder).rglob("*.*"):
            if path.is_file() and path.relative_to(ROOT).as_posix() not in files:
                path.unlink()
    for name, text in files.items():
        path = ROOT / Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"{len(files)} files, BENCHMARKS.md among them")
