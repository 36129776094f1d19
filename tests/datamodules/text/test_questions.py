import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import FactsDataModule, NewsQADataModule, QuestionFilesDataModule, SQuADDataModule
from datamodules.text import facts
from datamodules.text.facts import FACTS, NAMES, UNASKED
from datamodules.text.question_files import read_articles
from datamodules.text.questions import Document, Question, QuestionDataset
from dlmodules.errors import UserError
from dlmodules.protocols import HasPairs, HasTokenizer
from dlmodules.sequences.vocabulary import MARKS, SpacedVocabulary

ANNA = Document(
    ["anna", "saw", "two", "dogs", "in", "rome", "."],
    [
        Question(["who", "saw", "dogs", "?"], [(0, 1)]),
        Question(["what", "did", "she", "see", "where", "?"], [(2, 4), (5, 6)]),
    ],
)
BEN = Document(["ben", "slept", "."], [Question(["who", "slept", "?"], [(0, 1)])])


def squad(folder: Path, name: str = "questions.json", articles: Any = None, compressed: bool = False) -> str:
    context = "In 1998, Anna's café opened."
    asked = [
        {"question": "When did it open?", "answers": [{"text": "1998", "answer_start": 3}]},
        {"question": "Whose was it?", "answers": [{"text": "Anna", "answer_start": 9}]},
        {"question": "Why?", "answers": [], "is_impossible": True},
    ]
    articles = articles or [{"paragraphs": [{"context": f"{context} {n}", "qas": asked}]} for n in range(5)]
    content = json.dumps({"data": articles}).encode()
    (folder / name).write_bytes(gzip.compress(content) if compressed else content)
    return str(folder / name)


def test_a_row_by_hand() -> None:
    tokenizer = SpacedVocabulary([*MARKS, *ANNA.words, "who", "?", "ben"])
    rows = QuestionDataset([ANNA, BEN], tokenizer)
    document, tags, answer, question = rows.__getitems__([1, 2])
    assert document.tolist() == [[4, 5, 6, 7, 8, 9, 10], [13, 1, 10, 0, 0, 0, 0]]
    assert tags.tolist() == [[1, 0, 1, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0, 0]]
    assert answer.tolist() == [[0, 0, 1, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0, 0]]
    assert question.tolist() == [[2, 1, 1, 1, 1, 1, 12, 3], [2, 11, 1, 12, 3, 0, 0, 0]]
    assert all(field.dtype == torch.int64 for field in rows[0])
    assert len(rows) == 3


def test_what_is_asked_behind_the_end_of_a_document_is_left_out() -> None:
    assert ANNA.cut(7) == ANNA
    assert ANNA.cut(5) == Document(ANNA.words[:5], ANNA.questions[:1])
    assert ANNA.cut(5).questions[0].spans == [(0, 1)]


def test_facts_are_answered_by_the_words_that_they_say() -> None:
    data = FactsDataModule(train_size=300, val_size=20, test_size=20)
    parts = {part: data.read(part) for part in ("train", "val", "test")}
    texts = {part: {" ".join(one.words) for one in documents} for part, documents in parts.items()}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["val"]
    assert not texts["val"] & texts["test"]
    for document in parts["train"]:
        for question in document.questions:
            ((first, end),) = question.spans
            answer = document.words[first:end]
            asks = question.words[0] if question.words[0] != "how" else " ".join(question.words[:2])
            expected = {"who": lambda words: words[0] in NAMES, "how much": lambda words: words[1] == "dollars"}
            if asks in expected:
                assert expected[asks](answer)
            assert not set(answer) & set(question.words)
        spans = sorted(question.spans[0] for question in document.questions)
        assert all(end < first for (_, end), (first, _) in pairwise(spans))  # else two would be taken for one
    asked = [sum(len(one.questions) for one in documents) for documents in parts.values()]
    assert min(asked) > 0
    other = FactsDataModule(train_size=300, test_size=20, seed=1)
    assert other.read("test") == parts["test"]
    assert other.read("train") != parts["train"]


def test_no_document_is_in_two_parts_however_few_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("NAMES", NAMES[:2]), ("THINGS", ["boat"]), ("PLACES", ["oslo"]), ("JOBS", ["cook"])):
        monkeypatch.setattr(facts, name, few)
    monkeypatch.setattr(facts, "FACTS", [one for one in FACTS if "vehicle" in one.sentence])
    monkeypatch.setattr(facts.random.Random, "randint", lambda draw, low, high: low)  # one sentence
    data = FactsDataModule(train_size=300, val_size=40, test_size=40)
    train, val, test = ({" ".join(one.words) for one in data.read(part)} for part in ("train", "val", "test"))
    assert len(train) < 200  # of a few that there are
    assert not train & test
    assert not train & val
    assert not val & test


def test_what_is_not_asked_about_has_the_same_words() -> None:
    """Else a list of words would find all answers."""
    gaps = {word for fact in UNASKED for word in fact.sentence.split() if word.startswith("{")}
    assert {f"{{{gap}}}" for fact in FACTS for gap in fact.questions} <= gaps


def test_a_vocabulary_has_the_words_of_questions_first() -> None:
    data = FactsDataModule(train_size=50, val_size=0, test_size=0, vocabulary_size=30, question_words=10)
    assert isinstance(data, HasTokenizer)
    assert isinstance(data, HasPairs)
    tokenizer = data.tokenizer
    words = [tokenizer.decode([token]) for token in range(4, 30)]
    asked = {word for one in data.read("train") for question in one.questions for word in question.words}
    assert set(words[:10]) <= asked
    assert len(tokenizer) == 30
    assert "." in words[10:]
    with pytest.raises(UserError, match="vocabulary_size is 4; it must be 5 or more"):
        FactsDataModule(vocabulary_size=4)


@pytest.mark.parametrize("compressed", [False, True])
def test_squads_form_is_read_by_its_places(tmp_path: Path, compressed: bool) -> None:
    data = QuestionFilesDataModule(squad(tmp_path, compressed=compressed), val_size=1, test_size=1)
    train, val, test = (data.read(part) for part in ("train", "val", "test"))
    assert [len(part) for part in (train, val, test)] == [3, 1, 1]
    document = train[0]
    assert document.words[:6] == ["in", "1998", ",", "anna's", "café", "opened"]
    assert document.questions == [
        Question(["when", "did", "it", "open", "?"], [(1, 2)]),
        Question(["whose", "was", "it", "?"], [(3, 4)]),
    ]
    inside = [{"question": "When?", "answers": [{"text": "98", "answer_start": 5}]}]
    other = squad(tmp_path, "inside.json", [{"paragraphs": [{"context": "In 1998, Anna's.", "qas": inside}]}])
    assert read_articles(other)[0][0].questions[0].spans == [(1, 2)]  # the whole word
    assert data.example_pairs(1)[0][1] == "when did it open ? (1998) whose was it ? (anna's)"
    own = QuestionFilesDataModule(squad(tmp_path), test_file=squad(tmp_path, "other.json"), val_size=0)
    assert [len(own.read(part)) for part in ("train", "val", "test")] == [5, 0, 5]


def test_mistakes_in_squads_form_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        QuestionFilesDataModule(str(tmp_path / "none.json")).setup("fit")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UserError, match=r"list.json is not of SQuAD's form, data of paragraphs of context and qas"):
        QuestionFilesDataModule(str(tmp_path / "list.json")).setup("fit")
    (tmp_path / "cut.json").write_text('{"data": [')
    with pytest.raises(UserError, match="is not of SQuAD's form"):
        QuestionFilesDataModule(str(tmp_path / "cut.json")).setup("fit")
    lacking = squad(tmp_path, articles=[{"paragraphs": [{"text": "x", "qas": []}]}])
    with pytest.raises(UserError, match="there is no 'context'"):
        QuestionFilesDataModule(lacking).setup("fit")
    moved = [{"question": "Who?", "answers": [{"text": "Anna", "answer_start": 1}]}]
    wrong = squad(tmp_path, articles=[{"paragraphs": [{"context": "Anna slept.", "qas": moved}]}])
    with pytest.raises(UserError, match=r"the answer 'Anna' to 'Who\?' is not at 1 of its context"):
        QuestionFilesDataModule(wrong).setup("fit")
    with pytest.raises(UserError, match="leave none of the 5 articles"):
        QuestionFilesDataModule(squad(tmp_path), val_size=4, test_size=1).setup("fit")
    with pytest.raises(UserError, match="has no questions to train on: max_document_length=1"):
        QuestionFilesDataModule(squad(tmp_path), val_size=0, test_size=0, max_document_length=1).setup("fit")


def test_squad_lies_where_data_lie(tmp_path: Path) -> None:
    folder = tmp_path / "squad"
    folder.mkdir()
    data = SQuADDataModule(data_dir=str(tmp_path), val_size=1)
    with pytest.raises(UserError, match=r"put train-v1.1.json, dev-v1.1.json into .*squad, or use FactsDataModule"):
        data.prepare_data()
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        squad(folder, name)
    data.prepare_data()
    assert [len(data.read(part)) for part in ("train", "val", "test")] == [4, 1, 5]


def test_newsqa_has_ranges_of_words(tmp_path: Path) -> None:
    folder = tmp_path / "newsqa"
    folder.mkdir()
    data = NewsQADataModule(data_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"has no train.csv, dev.csv, test.csv: write them by the tools"):
        data.prepare_data()
    head = "story_id,story_text,question,answer_token_ranges\n"
    story = '"Anna saw , in Rome ,\ntwo dogs ."'
    rows = f'1,{story},Who saw dogs ?,0:1\n1,{story},What did she see ?,"6:8,4:5"\n2,{story},Why ?,\n'
    for name in ("train.csv", "dev.csv", "test.csv"):
        (folder / name).write_text(head + rows)
    data.prepare_data()
    train = data.documents("train")
    assert train == [
        Document(
            ["anna", "saw", ",", "in", "rome", ",", "two", "dogs", "."],
            [
                Question(["who", "saw", "dogs", "?"], [(0, 1)]),
                Question(["what", "did", "she", "see", "?"], [(4, 5), (6, 8)]),
            ],
        )
    ]
    (folder / "train.csv").write_text(f"{head}1,{story},Who ?,8:12\n")
    with pytest.raises(UserError, match=r"line 3: the answer '8:12' is no range of the story's 9 words, such as 24:27"):
        data.read("train")
    (folder / "train.csv").write_text("story_id,question\n1,Who ?\n")
    with pytest.raises(UserError, match="has no column story_text, answer_token_ranges"):
        data.read("train")
