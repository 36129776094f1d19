"""Made-up documents of a few facts, and what can be asked about them: questions that need no download."""

import random
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from typing_extensions import override

from datamodules.text.questions import Document, Question, QuestionsDataModule, Span
from dlmodules.validation.arguments import check_at_least, check_at_least_one

NAMES = (
    *("anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "karen", "leo", "maria"),
    *("nils", "olga", "peter", "quentin", "rosa", "simon", "tessa", "ulrich", "victor", "wanda", "yusuf", "zoe"),
    *("alice", "bruno", "cesar", "dora", "erik", "frida", "georg", "helen", "ivan", "julia"),
)
THINGS = (
    *("bicycle", "boat", "camera", "car", "chair", "clock", "desk", "drum", "flute", "guitar", "horse", "house"),
    *("kite", "lamp", "mirror", "painting", "piano", "ring", "sofa", "stove", "table", "tent", "violin", "watch"),
)
PLACES = (
    *("athens", "berlin", "boston", "buenos aires", "cairo", "cape town", "dublin", "geneva", "hong kong", "lima"),
    *("lisbon", "london", "madrid", "new york", "oslo", "paris", "rome", "san diego", "tokyo", "vienna"),
)
JOBS = (
    *("baker", "barber", "cook", "dentist", "doctor", "driver", "farmer", "gardener", "judge", "lawyer", "nurse"),
    *("painter", "pilot", "plumber", "tailor", "teacher"),
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
VEHICLES = ("bus", "car", "bicycle", "boat", "plane", "train", "horse")


class Fact(NamedTuple):
    """A sentence with gaps, and a question for each gap that is asked about.

    Args:
        sentence: with the names of gaps in braces.
        questions: by the name of the gap that answers it, which may use other gaps.
    """

    sentence: str
    questions: Mapping[str, str]


_SALE = {
    "who": "who sold the {thing} ?",
    "whom": "who bought the {thing} ?",
    "place": "where did {who} sell the {thing} ?",
    "price": "how much did {whom} pay for the {thing} ?",
}
_JOURNEY = {
    "day": "when did {who} travel to {place} ?",
    "place": "where did {who} travel on {day} ?",
    "vehicle": "how did {who} travel to {place} ?",
}
_WORK = {
    "job": "what does {who} do in {place} ?",
    "place": "where does {who} work as a {job} ?",
    "year": "since when has {who} worked in {place} ?",
}
FACTS = (
    Fact("{who} sold a {thing} to {whom} in {place} for {price} .", _SALE),
    Fact("in {place} , {whom} bought a {thing} from {who} and paid {price} .", _SALE),
    Fact("on {day} {who} travelled to {place} by {vehicle} .", _JOURNEY),
    Fact("{who} went to {place} by {vehicle} last {day} .", _JOURNEY),
    Fact("{who} has worked as a {job} in {place} since {year} .", _WORK),
    Fact("since {year} {who} is a {job} in {place} .", _WORK),
)
UNASKED = (
    Fact("{who} likes the {thing} of {whom} .", {}),
    Fact("it rained in {place} on {day} .", {}),
    Fact("a {thing} costs {price} in {place} , but {whom} has none .", {}),
    Fact("{who} never wanted to be a {job} or to go by {vehicle} .", {}),
    Fact("{whom} left {place} in {year} .", {}),
)
"""What these tell is not asked about, though it has the same words."""


def document_of(facts: list[Fact], draw: random.Random) -> Document:
    """Return a document of some facts, whose gaps are filled with names, things and places, none of them twice."""
    names = draw.sample(NAMES, 2 * len(facts))
    things, places, jobs = (draw.sample(words, len(facts)) for words in (THINGS, PLACES, JOBS))
    words: list[str] = []
    questions: list[Question] = []
    for number, fact in enumerate(facts):
        filled = {
            "who": names[2 * number],
            "whom": names[2 * number + 1],
            "thing": things[number],
            "place": places[number],
            "job": jobs[number],
            "price": f"{draw.randint(2, 99)} dollars",
            "day": draw.choice(DAYS),
            "vehicle": draw.choice(VEHICLES),
            "year": str(draw.randint(1970, 2019)),
        }
        spans: dict[str, Span] = {}
        for piece in fact.sentence.split():
            name = piece.strip("{}")
            part = filled[name].split() if piece.startswith("{") else [piece]
            spans[name] = len(words), len(words) + len(part)
            words += part
        questions += [
            Question(question.format(**filled).split(), [spans[gap]]) for gap, question in fact.questions.items()
        ]
    return Document(words, questions)


class FactsDataModule(QuestionsDataModule):
    """Made-up documents of one to five sentences, and questions about the facts that they tell.

    ``clara sold a boat to ben in new york for 40 dollars .`` answers ``who bought the boat ?``. Some sentences
    have the same words and answer nothing. No document is in two parts, and those for the test are the same for every
    ``seed``.

    Args:
        train_size: documents for training, 1 or more; each is asked about three times or more.
        val_size: documents for validation.
        test_size: documents for the test.
        **kwargs: of ``QuestionsDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 8,
        "train_size": 12,
        "val_size": 4,
        "test_size": 4,
        "vocabulary_size": 200,
    }

    def __init__(self, train_size: int = 10_000, val_size: int = 200, test_size: int = 500, **kwargs: Any) -> None:
        check_at_least_one(train_size=train_size)
        check_at_least(0, val_size=val_size, test_size=test_size)
        super().__init__(**kwargs)
        self.counts = {"train": train_size, "val": val_size, "test": test_size}

    @override
    def read(self, part: Literal["train", "val", "test"]) -> list[Document]:
        remainders = {"train": range(2, 10), "val": (1,), "test": (0,)}[part]
        draw = random.Random(f"{part} {0 if part == 'test' else self.seed}")
        found: list[Document] = []
        while len(found) < self.counts[part]:
            facts = draw.choices(FACTS, k=draw.randint(1, 3)) + draw.choices(UNASKED, k=draw.randint(0, 2))
            draw.shuffle(facts)
            document = document_of(facts, draw)
            if zlib.crc32(" ".join(document.words).encode()) % 10 in remainders:
                found.append(document)
        return found
