import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from datamodules import CorpusDataModule, FactsDataModule
from dlmodules import QuestionGenerator
from dlmodules.errors import UserError
from dlmodules.protocols import FindsAnswers, TranslatesTexts
from dlmodules.sequences.vocabulary import MARKS, SpacedVocabulary
from dlmodules.text.question_generator import Fields
from dlmodules.text.spans import SpanF1, spans_of
from dlmodules.training.schedules import WarmupCosineLR
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {"vocabulary_size": 12, "embedding_dim": 5, "reader_dim": 3, "hidden_dim": 4, "max_length": 6}
FIELDS = Fields(
    torch.tensor([[4, 5, 6, 7, 8], [9, 10, 11, 0, 0]]),
    torch.tensor([[1, 0, 1, 1, 0], [0, 1, 0, 0, 0]]),
    torch.tensor([[0, 0, 1, 1, 0], [0, 1, 0, 0, 0]]),
    torch.tensor([[2, 4, 6, 3], [2, 11, 3, 0]]),
)
WORDS = ["anna", "saw", "two", "dogs", "in", "rome", "who", "?"]


def model(**more: Any) -> QuestionGenerator:
    torch.manual_seed(0)
    return QuestionGenerator(**{**SMALL, **more})


def reading(**more: Any) -> QuestionGenerator:
    made = model(**more)
    made.tokenizer = SpacedVocabulary([*MARKS, *WORDS])
    return made


@pytest.mark.parametrize("attention", ["none", "luong"])
def test_its_losses_by_hand(attention: str) -> None:
    made = model(attention=attention)
    network: Any = made.network
    tag_nats, question_nats = [], []
    for document, tags, answer, question in zip(*FIELDS, strict=True):
        document = document[document != 0]
        question = question[question != 0]
        embedded = network.embedding(document)[None]
        forwards = network.reader.forwards[0](embedded)[0]
        backwards = network.reader.backwards[0](embedded.flip(1))[0].flip(1)
        read = torch.cat([forwards, backwards], dim=2)
        for place, logits in enumerate(network.tagger(read[0])):
            tag_nats.append(-logits.log_softmax(0)[tags[place]].item())
        state = network.answer_encoder.forwards[0](read[:, answer[: len(document)] == 1])[1]
        for token, after in pairwise(question):
            written, state = network.decoder(network.embedding(token)[None, None], state)
            out = written[0, 0]
            if attention == "luong":
                weights = torch.stack([out @ network.score.key(place) for place in read[0]]).softmax(0)
                out = torch.tanh(network.readout(torch.cat([out, weights @ read[0]])))
            logits = network.projection(out)
            question_nats.append(-logits.log_softmax(0)[after].item())
    assert len(tag_nats) == 8
    assert len(question_nats) == 5
    expected = math.fsum(tag_nats) / 8 + math.fsum(question_nats) / 5
    assert made.training_step(FIELDS, 0).item() == pytest.approx(expected, rel=1e-5)


def test_a_dictionary_has_the_parts_by_their_names() -> None:
    made = model()
    expected = made.training_step(FIELDS, 0)
    given = {name: field.int() for name, field in reversed(FIELDS._asdict().items())}
    assert torch.equal(made.training_step(given, 0), expected)


def test_what_it_asks_depends_on_the_answer_and_its_order_of_words() -> None:
    network: Any = model().network
    read = network.read(FIELDS.document)
    states = [network.ask_about(read, answer) for answer in (FIELDS.answer, FIELDS.tags)]
    assert torch.allclose(states[0][:, 1], states[1][:, 1])
    assert not torch.allclose(states[0][:, 0], states[1][:, 0])
    read_both = read[:1, [2, 3]]
    assert torch.allclose(states[0][:, :1], network.answer_encoder(read_both, torch.tensor([2]))[1])
    turned = network.answer_encoder(read_both.flip(1), torch.tensor([2]))[1]
    assert not torch.allclose(states[0][:, :1], turned)


def test_its_sizes_are_the_books() -> None:
    """But for the second bias that torch's GRU has: 600 numbers of each."""
    network: Any = QuestionGenerator(vocabulary_size=9984).network
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert counts == {
        "embedding": 998_400,
        "reader": 120_600 + 600,
        "tagger": 402,
        "answer_encoder": 240_600 + 600,
        "decoder": 180_600 + 600,
        "projection": 1_996_800,
    }


def test_spans_are_runs_of_tags() -> None:
    assert spans_of(torch.tensor([True, True, False, True, False, False, True])) == [(0, 2), (3, 4), (6, 7)]
    assert spans_of(torch.zeros(3, dtype=torch.bool)) == []
    score = SpanF1()
    found = torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 0, 0]]).bool()
    wanted = torch.tensor([[1, 1, 0, 0, 1], [0, 1, 0, 0, 0]]).bool()
    score.update(found, wanted)  # one of three found is one of three that there are
    assert float(score.compute()) == pytest.approx(1 / 3)
    score.reset()
    score.update(found & False, wanted & False)
    assert float(score.compute()) == 0.0


@pytest.mark.parametrize("attention", ["none", "luong"])
def test_padding_is_no_answer_and_no_word(tmp_path: Path, attention: str) -> None:
    made = model(attention=attention)
    wider = Fields(*(torch.nn.functional.pad(field, (0, 3)) for field in FIELDS))
    assert made.training_step(FIELDS, 0).item() == pytest.approx(made.training_step(wider, 0).item(), rel=1e-6)
    made.eval()
    assert made.write(FIELDS.document, FIELDS.answer) == made.write(wider.document, wider.answer)
    metrics = []
    for fields in (FIELDS, wider):
        trainer = quiet_trainer(default_root_dir=tmp_path)
        metrics.append(trainer.test(made, DataLoader([fields], batch_size=None), verbose=False)[0])
    assert metrics[0] == pytest.approx(metrics[1], rel=1e-5)
    assert set(metrics[0]) == {
        f"test/{name}" for name in ("loss", "tag_loss", "question_loss", "question_exact", "tag_f1", "span_f1")
    }


@pytest.mark.parametrize("attention", ["none", "luong"])
def test_it_asks_about_a_text(attention: str) -> None:
    made = reading(attention=attention).eval()
    assert isinstance(made, FindsAnswers)
    assert isinstance(made, TranslatesTexts)
    text = "anna saw two dogs in rome ?"
    words, probabilities = made.answer_probabilities(text)
    assert words == text.split()
    assert probabilities.shape == (7,)
    made.network.tagger.bias.data[1] = 50.0  # type: ignore[union-attr, index]  # all are answers, one span
    (asked,) = made.ask(text)
    assert asked.answer == text
    assert asked.span == (0, 7)
    assert asked.probability == pytest.approx(1.0)
    assert asked.question == made.ask_about(text, text)
    assert set(asked.question.split()) <= {*WORDS, "<unknown>"}
    assert made.translate_texts([text]) == [f"{asked.question} ({text})"]
    assert set(made.ask_about(text, "two dogs", beam=3).split()) <= {*WORDS, "<unknown>"}
    made.network.tagger.bias.data[1] = -50.0  # type: ignore[union-attr, index]  # nothing is
    assert made.translate_texts([text]) == ["(no answer found)"]
    with pytest.raises(UserError, match="the words 'three dogs' are not in the text"):
        made.ask_about(text, "three dogs")
    with pytest.raises(UserError, match="the text has no tokens"):
        made.ask(" ")
    with pytest.raises(UserError, match="has no tokenizer"):
        model().ask(text)


def test_it_may_begin_with_word_vectors(tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("anna 1 2 3 4 5\nnobody 0 0 0 0 0\n? 5 4 3 2 1\n")
    made = reading(vectors=str(file))
    network: Any = made.network
    before = network.embedding.weight.clone()
    made.on_fit_start()
    after = network.embedding.weight
    rows = [4, 4 + WORDS.index("?")]
    assert after[rows].tolist() == [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]
    others = [row for row in range(12) if row not in rows]
    assert torch.equal(after[others], before[others])
    again = reading(vectors=str(tmp_path / "no longer there"))
    again.on_load_checkpoint({})
    again.on_fit_start()
    file.write_text("anna 1 2 3\n")
    with pytest.raises(UserError, match=r"has vectors of 3 numbers and the model of 5: set embedding_dim to 3"):
        reading(vectors=str(file)).on_fit_start()
    file.write_text("nobody 1 2 3 4 5\n")
    with pytest.raises(UserError, match="has no word of the data"):
        reading(vectors=str(file)).on_fit_start()


def test_errors_are_one_line(tmp_path: Path) -> None:
    made = model()
    with pytest.raises(UserError, match=r"needs batches of inputs and labels: documents, tags and answers \(B, D\)"):
        made.training_step(FIELDS[:3], 0)
    with pytest.raises(UserError, match="attention is 'bahdanau'; it must be none or luong"):
        model(attention="bahdanau")
    with pytest.raises(UserError, match="a question that no word of its document answers"):
        made.training_step(FIELDS._replace(answer=torch.zeros(2, 5, dtype=torch.int64)), 0)
    with pytest.raises(UserError, match=r"there is a token 12, but QuestionGenerator knows 0\.\.11"):
        made.training_step(FIELDS._replace(document=FIELDS.document + 1), 0)
    (tmp_path / "text.txt").write_text("some words and more of them again and again\n" * 40)
    text = CorpusDataModule(str(tmp_path / "text.txt"), tokenizer="words", context=4, batch_size=2)
    with pytest.raises(UserError, match="needs questions about documents, and the data give running text"):
        quiet_trainer(max_steps=1, default_root_dir=tmp_path).fit(model(vocabulary_size=200), datamodule=text)


@pytest.mark.learning
def test_it_learns_to_find_answers_and_to_ask(tmp_path: Path) -> None:
    """All answers are found; by a list of words a quarter of them would not be."""
    torch.manual_seed(0)
    data = FactsDataModule(train_size=1500, val_size=0, test_size=60, batch_size=64)
    made = QuestionGenerator(
        vocabulary_size=384,
        optimizer=lambda p: torch.optim.Adam(p, lr=5e-3),
        scheduler=lambda o: WarmupCosineLR(o, total_steps=150, warmup_steps=10),
    )
    trainer = quiet_trainer(max_steps=150, gradient_clip_val=1.0, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(made, datamodule=data)
    (measured,) = trainer.test(made, datamodule=data, verbose=False)

    assert measured["test/span_f1"] > 0.9
    assert measured["test/question_loss"] < 1.0  # nats a word; 5.7 at first
