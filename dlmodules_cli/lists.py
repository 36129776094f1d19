"""The lists of systems and books in README, start page and navigation, made from classes, configurations and books.

``python -m dlmodules_cli.lists`` writes them anew, each between its two marks; a test fails where they are out of date.
"""

import re
from collections.abc import Callable
from importlib import import_module
from itertools import groupby
from pathlib import Path

from dlmodules.errors import UserError
from dlmodules_cli.books import book_table
from dlmodules_cli.configs import config_root
from dlmodules_cli.errors import run
from dlmodules_cli.systems import System, systems

BEGIN, END = "begin of the {}, written by: python -m dlmodules_cli.lists", "end of the {}"


def readme_tables(root: Path) -> str:
    """Return a table of the systems of each family: class with its page, books, configurations."""
    parts = []
    for title, members in by_family():
        parts += [f"### {title}", "", "| class | books | configurations |", "|---|---|---|"]
        parts += [_readme_row(system, root) for system in members] + [""]
    return "\n" + "\n".join(parts) + "\n"


def navigation(root: Path) -> str:
    """Return the pages of the systems by family, as lines of ``mkdocs.yml``."""
    lines = []
    for title, members in by_family():
        lines.append(f"      - {title}:\n")
        lines += [f"          - {system.name}: systems/{page_of(system.name, root).name}\n" for system in members]
    return "".join(lines)


def books(_: Path) -> str:
    """Return the table of the books, which is the same in every file."""
    return book_table()


LISTS: dict[str, dict[str, Callable[[Path], str]]] = {
    "README.md": {"books": books, "systems": readme_tables},
    "docs/index.md": {"books": books},
    "mkdocs.yml": {"systems": navigation},
}
"""What each file lists by subject, given the folder of the checkout."""


def by_family() -> list[tuple[str, list[System]]]:
    """Return the systems by their families, each under the first words of its package's docstring."""
    groups = groupby(systems(), key=lambda system: system.family)
    return [(family_title(family), list(members)) for family, members in groups]


def family_title(family: str) -> str:
    """Return how a family is called: what its package's docstring says up to the first colon or full stop."""
    doc = import_module(f"dlmodules.{family}").__doc__ or family
    return re.split(r"[:.]", doc, maxsplit=1)[0]


def page_of(name: str, root: Path) -> Path:
    """Return the page of a system: that of the class's name in small letters, underscores left aside.

    Raises:
        UserError: there is none.
    """
    pages = {path.stem.replace("_", ""): path for path in (root / "docs" / "systems").glob("*.md")}
    if name.lower() not in pages:
        raise UserError(f"{name} has no page: docs/systems has no file of this name, in small letters")
    return pages[name.lower()]


def short_books(books: tuple[str, ...]) -> str:
    """Return ids of the books with each book named once in a row: ``atienza 1.3.2, 1.4.1, lab L5``."""
    words, last = [], ""
    for book in books:
        author, _, place = book.partition(" ")
        words.append(place if author == last else book)
        last = author
    return ", ".join(words)


def updated(root: Path, file: str) -> str:
    """Return the text of a file of ``LISTS`` with its lists as they must be.

    Raises:
        UserError: the file does not have the two marks of a list.
    """
    path = root / file
    text = path.read_text(encoding="utf-8")
    for subject, listed in LISTS[file].items():
        begin, end = BEGIN.format(subject), END.format(subject)
        marked = rf"(^[^\n]*{re.escape(begin)}[^\n]*\n).*?(^[^\n]*{re.escape(end)})"
        match = re.search(marked, text, re.MULTILINE | re.DOTALL)
        if match is None:
            raise UserError(f"{path} has no lines with the marks {begin!r} and {end!r}")
        text = text[: match.end(1)] + listed(root) + text[match.start(2) :]
    return text


def write_lists(root: Path) -> None:
    """Write the lists of the checkout in ``root`` anew."""
    for file in LISTS:
        (root / file).write_text(updated(root, file), encoding="utf-8")


def _readme_row(system: System, root: Path) -> str:
    page = page_of(system.name, root).relative_to(root).as_posix()
    folder, *others = (path.as_posix() for path in system.configs)
    files = [f"`configs/{folder}`", *(f"`{Path(path).name}`" for path in others)]
    return f"| [`{system.name}`]({page}) | {short_books(system.books)} | {', '.join(files)} |"


if __name__ == "__main__":
    run(lambda: write_lists(config_root().parent))
