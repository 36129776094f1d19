"""NewsQA: questions about news of CNN."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.text_files import read_text
from datamodules.text.facts import FactsDataModule
from datamodules.text.questions import Document, Question, QuestionsDataModule, Span
from dlmodules.errors import UserError

COLUMNS = ("story_id", "story_text", "question", "answer_token_ranges")
NAMES = {"train": "train.csv", "val": "dev.csv", "test": "test.csv"}
LONGEST_CELL = 2**24  # characters; Python's own limit is less than some stories have


class NewsQADataModule(QuestionsDataModule):
    """NewsQA: some 100,000 questions about 12,744 stories, in words of lower case.

    Read from ``<data_dir>/newsqa/train.csv``, ``dev.csv`` and ``test.csv``, which Maluuba's tools write
    (https://github.com/Maluuba/newsqa): the stories' licence forbids to pass them on, so that there is no download.

    Args:
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``QuestionsDataModule``.

    Raises:
        UserError: for a number out of range, and a file that is missing or of another form.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = FactsDataModule.small_arguments

    def __init__(self, data_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")) / "newsqa"

    @override
    def prepare_data(self) -> None:
        """Raise UserError where a file is missing."""
        missing = [name for name in NAMES.values() if not (self.folder / name).is_file()]
        if missing:
            raise UserError(
                f"{self.folder} has no {', '.join(missing)}: write them by the tools of https://github.com/Maluuba/newsqa,"
                " or use SQuADDataModule, which is downloaded, or FactsDataModule, which needs no download"
            )

    @override
    def read(self, part: Literal["train", "val", "test"]) -> list[Document]:
        return read_stories(self.folder / NAMES[part])

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up facts."""
        return FactsDataModule


def read_stories(path: Path) -> list[Document]:
    """Return the stories of a table of NewsQA, each with its questions, in the order of the table.

    Raises:
        UserError: the file cannot be read, lacks a column, or has something else than ranges of words as an answer.
    """
    text = read_text(path)
    csv.field_size_limit(LONGEST_CELL)
    rows = csv.DictReader(io.StringIO(text, newline=""))
    lacking = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if lacking:
        raise UserError(f"{path} has no column {', '.join(lacking)}; NewsQA's tables have {', '.join(COLUMNS)}")
    stories: dict[str, Document] = {}
    for row in rows:
        story = stories.setdefault(row["story_id"], Document((row["story_text"] or "").lower().split(), []))
        spans = _spans(row["answer_token_ranges"] or "", len(story.words), f"{path}, line {rows.line_num}")
        if spans:
            story.questions.append(Question((row["question"] or "").lower().split(), spans))
    return list(stories.values())


def _spans(ranges: str, length: int, place: str) -> list[Span]:
    """Return the spans of ``24:27,30:31``, where the second number is one behind the last word."""
    spans = []
    for part in filter(None, ranges.split(",")):
        first, _, end = part.partition(":")
        if not (first.isdigit() and end.isdigit() and int(first) < int(end) <= length):
            raise UserError(f"{place}: the answer {part!r} is no range of the story's {length} words, such as 24:27")
        spans.append((int(first), int(end)))
    return sorted(spans)
