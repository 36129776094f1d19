"""Aesop's fables as the book prepares them: words and marks, each fable behind a block of start tokens."""

import re
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch.utils.data import DistributedSampler
from typing_extensions import override

from datamodules.base.sampling import shuffled
from datamodules.text.corpora import NamedCorpusDataModule
from datamodules.text.windows import TokenWindows
from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED, Batch

START = "| " * 20
TITLE, BEHIND = "THE FOX AND THE GRAPES", "ILLUSTRATIONS"
MARK = re.compile(r"""([!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~])""")


class LastTargets(TokenWindows):
    """All whole windows, of which only the last token is a target."""

    def __len__(self) -> int:
        return max(len(self.tokens) - self.context, 0)

    @override
    def at(self, starts: npt.NDArray[np.int64]) -> Batch:
        x, y = super().at(starts)
        y[:, :-1] = IGNORED
        return x, y


class AesopDataModule(NamedCorpusDataModule):
    """Aesop's fables in English: 50,436 words and marks, of 4,168 kinds.

    The book's preparation: in lower case, each fable begins with 20 times ``|``, line breaks are blanks, gaps within a
    fable are full stops, and each mark is a token. Read from ``<data_dir>/text/aesop_11339.txt``. With ``val_size`` and
    ``test_size`` of 0 and ``targets: last`` there are the book's 50,416 sequences.

    Args:
        batch_size: windows of a batch, 1 or more.
        context: tokens of a window.
        vocabulary_size: token ids at most, those of padding and the unknown included; by default all.
        targets: ``all`` predicts the next token after each of a window; ``last``, as the book does, after the last
            alone, from every window that there is.
        val_size: characters for validation.
        test_size: characters for the test, the last ones.
        **kwargs: of ``CorpusDataModule``, but for ``tokenizer``, and ``data_dir``: the folder of the data sets;
            ``$DLMODULES_DATA`` or ``./data`` where None.

    Raises:
        UserError: as of ``CorpusDataModule``, for a failed download, and for a text without the marks of its start.
    """

    place = "text/aesop_11339.txt"
    url = "https://www.gutenberg.org/cache/epub/11339/pg11339.txt"

    def __init__(
        self,
        *,
        batch_size: int = 32,
        context: int = 20,
        vocabulary_size: int = 4170,
        targets: Literal["all", "last"] = "all",
        val_size: int | float = 0.05,
        test_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        if targets not in ("all", "last"):
            raise UserError(f"targets is {targets!r}; it must be all or last")
        super().__init__(
            batch_size=batch_size,
            context=context,
            tokenizer="spaced",
            vocabulary_size=vocabulary_size,
            val_size=val_size,
            test_size=test_size,
            **kwargs,
        )
        if targets == "last" and self.contiguous:
            raise UserError("targets: last takes windows in any order, which are no lanes: set sampling to windows")
        self.targets = targets

    @override
    def clean(self, text: str) -> str:
        found = [match.start() for match in re.finditer(TITLE, text)], text.rfind(f"\n{BEHIND}")
        if len(found[0]) < 3 or found[1] < found[0][2]:
            raise UserError(f"{self.file} is not Project Gutenberg's book 11339: it lacks {TITLE} or {BEHIND}")
        return cleaned(text[found[0][2] : found[1] + 1])  # the first two are of the table of contents

    @override
    def make_train_and_val(self) -> tuple[TokenWindows, TokenWindows]:
        train, val = super().make_train_and_val()
        return self._with_targets(train), self._with_targets(val)

    @override
    def make_test(self) -> TokenWindows:
        return self._with_targets(super().make_test())

    def _with_targets(self, windows: TokenWindows) -> TokenWindows:
        return windows if self.targets == "all" else LastTargets(windows.tokens, self.context)

    @override
    def train_sampler(self, dataset: TokenWindows) -> DistributedSampler[Any]:
        if self.targets == "all":
            return super().train_sampler(dataset)
        return shuffled(dataset, self.seed, self.drop_last)


def cleaned(text: str) -> str:
    """Return the book's preparation of the fables."""
    text = START + text.replace("\r\n", "\n").lower()
    text = text.replace("\n" * 5, START).replace("\n", " ")
    text = re.sub(" {2,}", ". ", text).strip().replace("..", ".")
    return re.sub(r"\s{2,}", " ", MARK.sub(r" \1 ", text))
