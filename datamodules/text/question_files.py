"""Questions and answers in files of SQuAD's form."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.in_memory import count_of, permutation
from datamodules.base.text_files import read_text
from datamodules.text.facts import FactsDataModule
from datamodules.text.questions import Document, Question, QuestionsDataModule
from dlmodules.errors import UserError
from dlmodules.sequences.vocabulary import WORD_OR_MARK, MarkedVocabulary
from dlmodules.validation.arguments import check_amounts

Articles = list[list[Document]]


class QuestionFilesDataModule(QuestionsDataModule):
    """Anyone's own questions, in a JSON file of SQuAD's form, compressed by gzip or not.

    ``{"data": [{"paragraphs": [{"context": "...", "qas": [{"question": "...", "answers": [{"text": "...",
    "answer_start": 0}]}]}]}]}``: SQuAD 1.1 and 2.0, XQuAD and most others. The first answer counts; questions without
    one are passed over. The documents are the contexts, in words and marks of lower case. Those of one article stay
    together: validation and test are of other articles than the training, the same for every ``seed``.

    Args:
        file: the questions.
        val_file: those for validation, in a file of their own; None takes articles from ``file``.
        test_file: those for the test, in the same way.
        val_size: articles for validation: a number of them, or a fraction in (0, 1); 0 for none.
        test_size: articles for the test, in the same way.
        **kwargs: of ``QuestionsDataModule``.

    Raises:
        UserError: for a number out of range, a file that cannot be read or is of another form, and an answer that is
            not where it is said to be.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = FactsDataModule.small_arguments
    kind = MarkedVocabulary

    def __init__(
        self,
        file: str,
        val_file: str | None = None,
        test_file: str | None = None,
        val_size: int | float = 0.1,
        test_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        check_amounts("articles", val_size=val_size, test_size=test_size)
        super().__init__(**kwargs)
        self.files = {"train": file, "val": val_file, "test": test_file}
        self.val_size = val_size
        self.test_size = test_size

    @override
    def read(self, part: Literal["train", "val", "test"]) -> list[Document]:
        own = self.files[part]
        articles = read_articles(own or self.files["train"] or "")
        if part == "train" or own is None:
            n = len(articles)
            n_val = 0 if self.files["val"] is not None else count_of(n, self.val_size)
            n_test = 0 if self.files["test"] is not None else count_of(n, self.test_size)
            if n_val + n_test >= n:
                raise UserError(
                    f"val_size={self.val_size} and test_size={self.test_size} leave none of the {n} articles of"
                    f" {self.files['train']} to train on"
                )
            order = permutation(n, seed=0).tolist()
            rows = {"test": order[:n_test], "val": order[n_test : n_test + n_val], "train": order[n_test + n_val :]}
            articles = [articles[row] for row in sorted(rows[part])]
        return [document for article in articles for document in article]

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up facts."""
        return FactsDataModule


def read_articles(path: str | Path) -> Articles:
    """Return the documents of each article in a JSON file of SQuAD's form.

    Raises:
        UserError: the file cannot be read or is of another form, or an answer is not where it is said to be.
    """
    path = Path(path).expanduser()
    text = read_text(path)
    try:
        content = json.loads(text)
        return [[_document(paragraph, path) for paragraph in article["paragraphs"]] for article in content["data"]]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(
            f"{path} is not of SQuAD's form, data of paragraphs of context and qas: {_told(error)}"
        ) from error


def _told(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _document(paragraph: Mapping[str, Any], path: Path) -> Document:
    context: str = paragraph["context"]
    found = list(WORD_OR_MARK.finditer(context))
    questions = []
    for asked in paragraph["qas"]:
        if not asked["answers"]:  # SQuAD 2.0 has questions that cannot be answered
            continue
        answer = asked["answers"][0]
        first, text = answer["answer_start"], answer["text"]
        end = first + len(text)
        if context[first:end] != text:
            raise UserError(f"{path}: the answer {text!r} to {asked['question']!r} is not at {first} of its context")
        inside = [place for place, match in enumerate(found) if match.start() < end and match.end() > first]
        if inside:
            questions.append(Question(MarkedVocabulary.split(asked["question"]), [(inside[0], inside[-1] + 1)]))
    return Document([match[0].lower() for match in found], questions)
