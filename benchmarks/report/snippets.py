"""The snippets that pages include: a system's rows, tables of variants, speeds, and attribute vectors."""

from collections.abc import Mapping, Sequence

from benchmarks.curves import curves_of
from benchmarks.report.cells import EARLIER, EARLIER_HEAD, NOTHING, bar_and_state, budget_of, overrides, spread, table
from benchmarks.report.configurations import score_tables, variants
from benchmarks.report.registry import Public
from benchmarks.report.speeds import speed_table
from benchmarks.report.standing import Found, standing
from benchmarks.row import Row

# Speeds and memory that a guide includes, by its snippet.
GUIDES = {"memory": ("speed_allocator_vae", "memory_vae")}


def system_snippet(system: Public, rows: Sequence[Row], found: Found, titles: Mapping[str, str]) -> str:
    """Return what a system's page includes, with links as they are from ``docs/systems``."""
    own = [row for row in rows if row.system == system.name]
    more = f"[All of the family](../benchmarks/{system.family}.md), with the protocols."
    head = standing(own, found)
    if head is None or not any(found[row.name] for row in own):
        return f"No run of it is recorded yet. {more}\n"
    figure, text = head.figure, spread(head.figure, head.records)
    parts = [f"{figure.label[0].upper()}{figure.label[1:]} of `{head.row.name}`: **{text}**"]
    parts += [f"{len(head.records)} seeds"] if len(head.records) > 1 else []
    parts.append(f"budget: {budget_of(head.row, head.records)}")
    parts += [f"book: {figure.book}"] if figure.book.strip(NOTHING) else []
    parts += [f"bar {bar_and_state(figure, head.records)}"] if figure.bar is not None else []
    blocks = [f"{'; '.join(parts)}. {more}\n"]
    if scores := [row for row in own if row.kind == "score"]:
        blocks.append(score_tables(scores, found))
    for row in own:
        if curves_of(row, found[row.name]):
            seeds = f"Held-out return of `{row.name}`: each seed, their interquartile mean and its 95 % interval"
            blocks.append(f"![{seeds}](../images/learning_curves/{row.name}.png)\n\n{seeds}.\n")
    for name in dict.fromkeys(row.table for row in own if row.kind == "table"):
        blocks += [f"{titles[name]}:\n", variants([row for row in own if row.table == name], found)]
    if speeds := [row for row in own if row.kind in ("speed", "memory")]:
        blocks.append(speed_table(speeds, found))
    said = {row.name: overrides(row, found[row.name]) for row in own if row.kind == "score"}
    told = [f"`{name}`: {words}" for name, words in said.items() if words]
    if told:
        blocks.append("What the runs say other than their configurations: " + "; ".join(told) + ".\n")
    body = "\n".join(blocks)
    return body + ("\n" + EARLIER_HEAD if EARLIER in body else "")


def attribute_snippet(row: Row, found: Found) -> str:
    """Return the table of the vectors of attributes, by both methods."""
    if not found[row.name]:
        return "Not yet run.\n"
    details = found[row.name][0].details
    lines = []
    for name in row.options["targets"]:
        for method in ("difference", "least_squares"):
            one = details[f"{name}, {method}"]
            least, kept = min(one["kept"].items(), key=lambda item: item[1])
            cells = (name, f"`{method}`", f"{one['strength']:g}", f"{one['moved']:.1%}")
            both = f"{one['added']:.1%}, {one['removed']:.1%}"
            lines.append((*cells, both, f"{kept:.1%} ({least.replace('_', ' ')})"))
    head = ("vector", "method", "strength", "changed", "added, removed", "least kept of the other attributes")
    return table(head, lines)


def guide_snippets(rows: Mapping[str, Row], found: Found) -> dict[str, str]:
    """Return the tables of speeds that the guides include."""
    return {name: speed_table([rows[row] for row in chosen], found) for name, chosen in GUIDES.items()}
