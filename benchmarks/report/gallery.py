"""The gallery of the start page: a card for each system, by family."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.record import ROOT
from benchmarks.report.cells import NOTHING, budget_of, spread
from benchmarks.report.registry import Public
from benchmarks.report.standing import Found, Standing, standing
from benchmarks.row import Row

PAGES = ROOT / "docs" / "systems"
PICTURE = re.compile(r"^!\[(?P<caption>[^\]]*)\]\(\.\./(?P<path>images/[^)]+)\)", re.MULTILINE)


def gallery(systems: Sequence[Public], rows: Sequence[Row], found: Found) -> str:
    """Return the cards of all systems, with links as they are from ``docs``."""
    parts = []
    for title in dict.fromkeys(system.title for system in systems):
        cards = "\n".join(card(system, rows, found) for system in systems if system.title == title)
        parts.append(f'### {title}\n\n<div class="gallery" markdown>\n\n{cards}\n</div>\n')
    return "\n".join(parts)


def card(system: Public, rows: Sequence[Row], found: Found) -> str:
    """Return a system's card: picture, name, sentence, headline beside the book's, command."""
    own = standing([row for row in rows if row.system == system.name], found)
    picture = best_picture(PAGES / f"{system.page}.md")
    config = config_of(system, own)
    lines = ['<div class="card" markdown>\n']
    lines += [f"![{picture[0]}]({picture[1]})\n"] if picture else []
    lines.append(f"**[`{system.name}`](systems/{system.page}.md)**\n")
    lines.append(f"{markdown(system.sentence)}\n")
    lines.append(f"{score(own)}\n")
    lines += [f"`python train.py fit --config configs/{config}.yaml`\n"] if config else []
    return "\n".join([*lines, "</div>\n"])


def best_picture(page: Path) -> tuple[str, str] | None:
    """Return caption and path of the first picture of a page that is no loss curve, or else of the first."""
    found = [(match["caption"], match["path"]) for match in PICTURE.finditer(page.read_text())]
    return next((one for one in found if "loss_curve" not in one[1]), found[0] if found else None)


def config_of(system: Public, own: Standing | None) -> str:
    """Return the configuration of the headline, or else the first."""
    if own and own.row.config:
        return own.row.config.removeprefix("configs/").removesuffix(".yaml")
    return system.configs[0] if system.configs else ""


def score(own: Standing | None) -> str:
    """Return the headline with its budget, beside the book's."""
    if own is None or not own.records:
        return "Not yet measured."
    figure = own.figure
    book = figure.book.strip(NOTHING) or "no figure"
    ours = f"**{spread(figure, own.records)}**; budget: {budget_of(own.row, own.records)}"
    return f"{figure.label[0].upper()}{figure.label[1:]}: {ours}; book: {book}."


def markdown(sentence: str) -> str:
    """Return a docstring's sentence with its code in single backticks."""
    return sentence.replace("``", "`")
