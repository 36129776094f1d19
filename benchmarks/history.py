"""Whether records stand: each was measured from a clean tree, at a commit that led to the checkout's."""

import re
import subprocess
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from benchmarks.record import ROOT, Record
from dlmodules.errors import UserError

DIGITS = 12  # of the commit in a record


def commits(root: Path = ROOT) -> frozenset[str] | None:
    """Return the commits that led to the checkout's, by their first digits; None where not all of them are here."""
    try:
        top, shallow = _git(root, "rev-parse", "--show-toplevel", "--is-shallow-repository")
        # An unpacked source distribution may lie in somebody else's checkout.
        if Path(top).resolve() != root.resolve() or shallow != "false":
            return None
        return frozenset(commit[:DIGITS] for commit in _git(root, "rev-list", "HEAD"))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def _git(root: Path, *args: str) -> list[str]:
    run = subprocess.run(["git", "-C", str(root), *args], capture_output=True, text=True, check=True)
    return run.stdout.split("\n")[:-1]


def fault(record: Record, known: Collection[str] | None) -> str | None:
    """Return why nobody can repeat ``record``, or None; without ``known`` commits, that of its tree alone."""
    commit, _, dirty = record.commit.partition("-")
    if dirty:
        return f"was measured from a changed source ({record.commit})"
    if known is None:
        return None
    if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", commit):
        return f"does not say from which commit it was measured ({record.commit})"
    return None if commit in known else f"was measured from a commit that is not in the history ({commit})"


def sound(records: Iterable[Record], known: Collection[str] | None) -> Iterator[Record]:
    """Hand on each of ``records``. Raises UserError, which names the file, where one does not stand."""
    for record in records:
        if why := fault(record, known):
            raise UserError(f"benchmarks/records/{record.kind}/{record.file_name} {why}: measure it again or delete it")
        yield record
