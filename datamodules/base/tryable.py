"""How a data module is tried in seconds, without a download."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pytorch_lightning import LightningDataModule


class Tryable:
    """A data module with a small form, which needs no download.

    A child says in ``small_arguments`` what makes it small. One whose data must be had first names in ``stand_in``
    another that gives the same kind of batches.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {}
    """Arguments of the class that ``stand_in`` returns."""

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Return the class that ``small`` makes: this one, unless its data must be had first."""
        assert issubclass(cls, LightningDataModule)
        return cls

    @classmethod
    def small(cls, **arguments: Any) -> LightningDataModule:
        """Return a data module of small batches, to try a module with: of a few rows, and without a download.

        Without ``arguments`` its batches have the shapes that this class gives by default, but for their size;
        ``arguments`` are those of the class that ``stand_in`` returns, such as ``image_size=16``.
        """
        return cls.stand_in()(**{**cls.small_arguments, **arguments})
