"""Pages with tables that code writes between marks, so that a test can see whether they are out of date."""

from collections.abc import Callable, Mapping, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def written_anew(page: str, parts: Mapping[str, Callable[[], str]], program: str) -> str:
    """Return the page with every part, by its name in the marks, as ``program`` makes it now."""
    for name, make in parts.items():
        begin, end = f"<!-- begin of {name}: python -m {program} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{make()}\n{end}{after}"
    return page
