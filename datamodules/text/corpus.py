"""Running text: any file or folder, as windows of tokens."""

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch.utils.data import DistributedSampler
from typing_extensions import override

from datamodules.base.sampling import shuffled
from datamodules.base.text_files import files_below, read_text
from datamodules.text.token_cache import cache_folder, cached_byte_pairs, cached_tokens
from datamodules.text.tokenized import TokenizedDataModule
from datamodules.text.windows import LaneSampler, OrderedWindows, TokenWindows, WindowSampler
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sequences.byte_pairs import BytePairTokenizer
from dlmodules.sequences.tokenizers import Kind, SavedTokenizer, make_tokenizer
from dlmodules.validation.arguments import check_amounts, check_at_least, check_at_least_one

SUFFIXES = (".txt", ".txt.gz", ".md", ".rst")


class CorpusDataModule(TokenizedDataModule[TokenWindows, Batch]):
    """Batches ``(x, y)`` of windows of a running text: token ids ``(B, T)`` int64, y one token later than x.

    The text is split by place: its beginning is for validation and its end for the test, both taken in order, every
    token once; what lies between is for training. Behind the end of a part x has padding (0) and y has -100. The
    tokenizer is made of the part for training and is in a run's checkpoint as plain values: who tests or resumes with
    the checkpoint has the token ids of the training. Token ids are mapped from a file in ``cache_dir``.

    A child overrides ``read`` to have another text.

    Args:
        file: a text file in UTF-8, plain or compressed by gzip, or a folder of such files (``.txt``, ``.txt.gz``,
            ``.md``, ``.rst``), which are joined in the order of their names; None takes 40,000 characters of English
            that scikit-learn ships, the descriptions of its data sets.
        batch_size: windows of a batch, 1 or more.
        context: T, tokens of a window, 1 or more.
        tokenizer: ``characters``, ``words`` (in lower case, without marks), ``words_and_marks`` (in lower case),
            ``spaced`` (what stands between blanks) or ``byte_pairs``.
        vocabulary_size: token ids at most, those of padding and the unknown included.
        tokenizer_file: a ``tokenizer.json`` of byte pairs to use in place of ``tokenizer``; None makes one.
        sampling: ``windows`` at random, or ``lanes``: row r of a batch goes on where row r of the one before ended,
            for networks that carry their state over; so do the batches for validation and test.
        overlap: how many tokens a window for validation or test has in common with the one before: each token has at
            least so many before it, and is a target once; 0 cuts the text into windows. Of lanes it is 0.
        windows_per_epoch: how many an epoch of random windows has; None for as many as hold each token once.
        val_size: characters for validation, the first ones: a number of them, or a fraction in (0, 1); 0 for none.
        test_size: characters for the test, the last ones, in the same way.
        cache_dir: folder of the token ids; None for that of the user's caches.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for an argument out of range, a file that is missing, empty or not UTF-8, and a text that is too
            short for a window.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 4, "context": 16, "tokenizer": "characters"}
    unit = "windows"

    def __init__(
        self,
        file: str | None = None,
        batch_size: int = 64,
        context: int = 64,
        tokenizer: Kind = "characters",
        vocabulary_size: int = 256,
        tokenizer_file: str | None = None,
        sampling: Literal["windows", "lanes"] = "windows",
        overlap: int = 0,
        windows_per_epoch: int | None = None,
        val_size: int | float = 0.1,
        test_size: int | float = 0.1,
        cache_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        if sampling not in ("windows", "lanes"):
            raise UserError(f"sampling is {sampling!r}; it must be windows or lanes")
        check_at_least_one(context=context, windows_per_epoch=windows_per_epoch)
        check_at_least(3, vocabulary_size=vocabulary_size)
        if not 0 <= overlap < context or (overlap > 0 and sampling == "lanes"):
            raise UserError(f"overlap is {overlap}; it must be 0 or more, less than context={context}, and 0 of lanes")
        check_amounts("characters", val_size=val_size, test_size=test_size)
        super().__init__(batch_size=batch_size, **kwargs)
        self.file = None if file is None else Path(file).expanduser()
        self.context = context
        self.kind = tokenizer
        self.vocabulary_size = vocabulary_size
        self.tokenizer_file = tokenizer_file
        self.sampling = sampling
        self.overlap = overlap
        self.windows_per_epoch = windows_per_epoch
        self.val_size = val_size
        self.test_size = test_size
        self.cache_dir = cache_dir
        self._texts: dict[str, str] | None = None
        self._characters_per_token: dict[str, float] = {}

    def read(self) -> str:
        """Return the whole text."""
        return shipped_text() if self.file is None else read_file_or_folder(self.file)

    @property
    def contiguous(self) -> bool:
        """Whether row r of a batch goes on where row r of the batch before ended, but for an epoch's first batch."""
        return self.sampling == "lanes"

    def characters_per_token(self, part: str) -> float:
        """Return the mean number of characters of the tokens of ``train``, ``val`` or ``test``."""
        if part not in self._characters_per_token:
            self._tokens(part)
        return self._characters_per_token[part]

    def texts(self) -> dict[str, str]:
        """Return the three parts of the text by their names.

        Raises:
            UserError: the text is empty, or nothing of it is left to train on.
        """
        if self._texts is None:
            text = self.read()
            if not text.strip():
                raise UserError(f"{self._place()} has no text")
            held_out = [
                size if isinstance(size, int) else int(len(text) * size) for size in (self.val_size, self.test_size)
            ]
            if sum(held_out) >= len(text):
                raise UserError(
                    f"val_size={self.val_size} and test_size={self.test_size} leave none of the {len(text)} characters"
                    f" of {self._place()} to train on"
                )
            first, last = held_out
            self._texts = {
                "val": text[:first],
                "train": text[first : len(text) - last],
                "test": text[len(text) - last :],
            }
        return self._texts

    def _place(self) -> str:
        return "scikit-learn's package" if self.file is None else str(self.file)

    @override
    def make_tokenizer(self) -> SavedTokenizer:
        text = self.texts()["train"]
        if self.tokenizer_file is not None:
            return BytePairTokenizer.of_file(self.tokenizer_file)
        if self.kind == "byte_pairs":
            return cached_byte_pairs(text, self.vocabulary_size, cache_folder(self.cache_dir))
        return make_tokenizer(self.kind, [text], self.vocabulary_size)

    def _tokens(self, part: str) -> Any:
        text = self.texts()[part]
        tokens = cached_tokens(text, self.tokenizer, cache_folder(self.cache_dir))
        self._characters_per_token[part] = len(text) / len(tokens) if len(tokens) else 1.0
        return tokens

    @override
    def make_train_and_val(self) -> tuple[TokenWindows, TokenWindows]:
        tokens = self._tokens("train")
        rows = self.batch_size if self.contiguous else 1
        if len(tokens) <= self.context * rows:
            lanes = f" in each of {rows} lanes" if rows > 1 else ""
            raise UserError(
                f"{self._place()} has {len(tokens)} tokens to train on, too few for a window of context={self.context}"
                f"{lanes} and the token after it: lower context{' or batch_size' if lanes else ''}"
            )
        return TokenWindows(tokens, self.context), self._ordered("val")

    @override
    def make_test(self) -> TokenWindows:
        return self._ordered("test")

    def _ordered(self, part: str) -> TokenWindows:
        return OrderedWindows(self._tokens(part), self.context, self.batch_size if self.contiguous else 1, self.overlap)

    @override
    def train_sampler(self, dataset: TokenWindows) -> DistributedSampler[Any]:
        if self.contiguous:
            kind: Any = partial(LaneSampler, batch_size=self.batch_size)
        else:
            kind = partial(WindowSampler, windows=self.windows_per_epoch)
        return shuffled(dataset, self.seed, self.drop_last, kind)

    @override
    def make_again(self) -> None:
        self._characters_per_token.clear()  # they were of other tokens
        super().make_again()


def read_file_or_folder(path: Path) -> str:
    """Return the text of a file, or of all text files below a folder in the order of their paths."""
    if not path.is_dir():
        return read_text(path)
    found = files_below(path, SUFFIXES)
    if not found:
        raise UserError(f"the folder {path} has no text files ({', '.join(SUFFIXES)})")
    return "\n\n".join(read_text(file) for file in found)


def shipped_text() -> str:
    """Return the English text that scikit-learn ships beside its data sets."""
    folder = files("sklearn.datasets.descr")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".rst"))
    return "\n\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
