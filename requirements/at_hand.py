"""Link the torch and torchvision of this environment, with all that they need, into a folder: ``at_hand.py FOLDER``.

Another environment that has the folder on its path need not install gigabytes. What it installs itself comes first.
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement


def with_requirements(*names: str) -> set[str]:
    """Return distributions and, recursively, those they need here."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in found:
            found.add((name, extra))
            for needed in map(Requirement, distribution(name).requires or []):
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting += [(needed.name, each) for each in ("", *needed.extras)]
    return {name for name, _ in found}


def main(folder: Path) -> None:
    """Make the links. A package that the other environment installs itself is found before them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in with_requirements("torch", "torchvision"):
        found = distribution(name)
        for entry in {path.parts[0] for path in found.files or []} - {"..", "__pycache__"}:
            link = folder / entry
            if not link.is_symlink():
                link.symlink_to(Path(str(found.locate_file(entry))).resolve())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
