"""What every tab of the page has."""

from collections.abc import Callable
from typing import Any, ClassVar

from dlmodules_cli.explore.subject import Subject


class Tab:
    """A tab of the page. Its constructor, called within the tab, makes what it shows of a subject."""

    title: ClassVar[str]
    """What stands on the tab."""

    def __init__(self, subject: Subject) -> None:
        raise NotImplementedError

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Return whether there is something of ``subject`` to show."""
        raise NotImplementedError

    def on_first_sight(self, event: Callable[..., Any]) -> None:
        """Fill what was left empty, when ``event`` first shows the tab; as a rule there is nothing."""
