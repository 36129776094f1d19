import math
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from datamodules import CorpusDataModule
from datamodules.text.corpus import shipped_text
from dlmodules import NGram
from dlmodules.errors import UserError
from dlmodules.sequences.vocabulary import CharacterVocabulary
from dlmodules.text.smoothing import Smoothing

# Every n-gram at its start comes again later, so that nltk, which counts types of n-grams for what is left of a lower
# order, and continuations for what is counted of it, has as many of both.
TEXT = "abracadabra abra cadabra abracadabra"
SMOOTHED: tuple[Smoothing, ...] = ("kneser_ney", "witten_bell")


def counted(text: str, **arguments: Any) -> NGram:
    tokenizer = CharacterVocabulary.of([text], 100)
    model = NGram(vocabulary_size=len(tokenizer), **arguments)
    model.tokenizer = tokenizer
    model.count([torch.tensor(tokenizer.encode(text))])
    return model


def probability(model: NGram, context: str, character: str) -> float:
    assert model.tokenizer is not None
    (token,) = model.tokenizer.encode(character)
    return float(model.distribution(model.tokenizer.encode(context))[token])


def test_plain_counts_are_relative_frequencies() -> None:
    unigrams = counted(TEXT, order=1, smoothing="none")
    assert probability(unigrams, "", "a") == pytest.approx(TEXT.count("a") / len(TEXT))
    bigrams = counted(TEXT, order=2, smoothing="none")
    behind_b = TEXT.count("b")  # each stands before an r
    assert probability(bigrams, "ab", "r") == pytest.approx(TEXT.count("br") / behind_b) == 1.0
    assert probability(bigrams, "x", "a") == pytest.approx(TEXT.count("a") / len(TEXT))  # x was never seen


def test_witten_bell_by_hand() -> None:
    model = counted("aabab", order=2, smoothing="witten_bell")  # a: 3, b: 2; aa 1, ab 2, ba 1
    uniform = 1 / len(model.tokenizer or ())
    single = {"a": 3 / (5 + 2) + 2 / 7 * uniform, "b": 2 / 7 + 2 / 7 * uniform}
    assert probability(model, "", "a") == pytest.approx(single["a"])
    # Behind a come 3 tokens, of 2 kinds.
    assert probability(model, "a", "b") == pytest.approx(2 / 5 + 2 / 5 * single["b"])
    assert probability(model, "b", "b") == pytest.approx(1 / 2 * single["b"])


def test_kneser_ney_by_hand() -> None:
    model = counted("aabab", order=2, smoothing="kneser_ney", discount=0.5)
    uniform = 1 / len(model.tokenizer or ())
    # a stands behind a and behind b, b behind a alone: continuations 2 and 1.
    single = {"a": 1.5 / 3 + 1 / 3 * uniform, "b": 0.5 / 3 + 1 / 3 * uniform}
    assert probability(model, "", "a") == pytest.approx(single["a"])
    assert probability(model, "a", "b") == pytest.approx(1.5 / 3 + 1 / 3 * single["b"])
    assert probability(model, "b", "a") == pytest.approx(0.5 / 1 + 0.5 * single["a"])


@pytest.mark.parametrize("smoothing", [*SMOOTHED, "none"])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_probabilities_behind_any_context_sum_to_1(smoothing: Smoothing, order: int) -> None:
    model = counted(TEXT, order=order, smoothing=smoothing)
    assert model.tokenizer is not None
    for context in ("", "a", "ab", "abra", "zz", "rb", " cad", "dabra abra"):
        found = model.distribution(
            [token if token < len(model.tokenizer) else 1 for token in model.tokenizer.encode(context)]
        )
        assert float(found.sum()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHED)
def test_one_by_one_and_all_at_once_are_the_same(smoothing: Smoothing) -> None:
    model = counted(TEXT, order=4, smoothing=smoothing)
    assert model.tokenizer is not None
    tokens = torch.tensor([model.tokenizer.encode("cabra dabrac"), model.tokenizer.encode("rrrr abracad")])
    at_once = model.probabilities_of(tokens)
    for row, found in zip(tokens.tolist(), at_once.tolist(), strict=True):
        assert found == pytest.approx([float(model.distribution(row[:end])[row[end]]) for end in range(len(row))])
    logits, state = None, model.start(tokens[:, :5])
    for place in range(5, 12):
        logits, state = model.step(tokens[:, place], state)
        if place < 11:
            assert logits.exp().gather(1, tokens[:, place + 1 : place + 2]).flatten().tolist() == pytest.approx(
                at_once[:, place + 1].tolist(), rel=1e-5
            )
    chosen = model.select(state, torch.tensor([1, 1, 0]))
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])


@pytest.mark.parametrize(
    ("smoothing", "name"), [("kneser_ney", "KneserNeyInterpolated"), ("witten_bell", "WittenBellInterpolated")]
)
@pytest.mark.parametrize("order", [2, 3, 4])
def test_it_is_what_nltk_computes(smoothing: Smoothing, name: str, order: int) -> None:
    lm = pytest.importorskip("nltk.lm", reason="nltk is not installed: pip install -e '.[test]'")
    from nltk.util import everygrams

    text = TEXT + TEXT[: order - 1]
    arguments: dict[str, Any] = {"discount": 0.4} if smoothing == "kneser_ney" else {}
    theirs = getattr(lm, name)(order, **arguments)
    theirs.fit([list(everygrams(list(text), max_len=order))], vocabulary_text=list(text))
    ours = counted(text, order=order, smoothing=smoothing, **arguments)
    letters = sorted(set(text))
    uniform = 1 / ours.vocabulary_size
    compared = 0
    for context in product(letters, repeat=order - 1):
        for letter in letters:
            expected = theirs.unmasked_score(letter, context)
            # Ours goes one order lower, to the same probability for all: what that adds is taken off.
            tables = ours.tables()
            share = math.prod(
                float(given.share[row])
                for n, (_, given) in enumerate(tables, start=1)
                if (row := ours._row(ours.tokenizer.encode("".join(context))[order - n :])) >= 0  # type: ignore[union-attr]
            )
            found = probability(ours, "".join(context), letter) - share * uniform
            table, given = tables[0]
            place = int((table.tokens == ours.tokenizer.encode(letter)[0]).nonzero())  # type: ignore[union-attr]
            # Of single letters theirs takes relative counts, or continuations, and no discount.
            plain = float(table.counts[place] / table.totals[0].double())
            found += share / float(given.share[0]) * (plain - float(given.own[place]))
            assert found == pytest.approx(expected, abs=1e-9)
            compared += 1
    assert compared == len(letters) ** order


def test_a_new_ngram_is_impossible_without_smoothing_alone() -> None:
    for smoothing in ("none", *SMOOTHED):
        score = counted(TEXT, order=2, smoothing=smoothing).score("abrba")  # type: ignore[arg-type]
        assert math.isinf(score.nats) == (smoothing == "none")
        assert (score.tokens, score.characters) == (4, 5)


def test_discounts_are_estimated_from_counts_of_counts() -> None:
    text = shipped_text()[:20_000]
    model = counted(text, order=3)
    table = model.tables()[2][0]
    n = [int((table.counts == count).sum()) for count in (1, 2, 3, 4)]
    y = n[0] / (n[0] + 2 * n[1])
    one = (1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2])
    from dlmodules.text.smoothing import estimated_discounts

    assert estimated_discounts(table) == pytest.approx(one)
    assert 0 < one[0] < one[1] < one[2] < 3


def test_a_target_that_is_ignored_still_is_context() -> None:
    model = counted(TEXT, order=3)
    assert model.tokenizer is not None
    tokens = torch.tensor([model.tokenizer.encode("abracadabra")])
    x, y = tokens[:, :-1], tokens[:, 1:].clone()
    expected = model.nats(x, y, "predict", 0)
    y[:, :-1] = -100
    assert torch.equal(model.nats(x, y, "predict", 0)[:, -1], expected[:, -1])


def test_windows_in_lanes_are_read_as_one_text(tmp_path: Path) -> None:
    trainer = quiet_trainer(tmp_path)
    data = CorpusDataModule(sampling="lanes", batch_size=1, context=32, cache_dir=str(tmp_path))
    model = NGram(order=4, vocabulary_size=256)
    trainer.fit(model, datamodule=data)
    (measured,) = trainer.validate(model, datamodule=data, verbose=False)
    text = data.texts()["val"]
    score = model.score(text)
    assert measured["val/loss"] == pytest.approx(score.nats / score.tokens, rel=1e-5)
    assert measured["val/perplexity"] == pytest.approx(math.exp(score.nats / score.tokens), rel=1e-4)
    assert measured["val/bits_per_character"] == pytest.approx(score.nats / score.tokens / math.log(2), rel=1e-5)

    path = tmp_path / "model.ckpt"
    trainer.save_checkpoint(path)
    loaded = NGram.load_from_checkpoint(path, weights_only=True)
    assert loaded.score(text) == score
    assert len("".join(loaded.generate_text("The ", 30))) == 30
    assert loaded.tokenizer == data.tokenizer


@pytest.mark.learning
def test_smoothing_and_longer_contexts_help() -> None:
    """Measured on the shipped text: 3.1 nats for unigrams, 1.9 for order 5; a uniform guess has 4.6."""
    text = shipped_text()
    train, held_out = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    found = {}
    for order, smoothing in product((1, 3, 5), SMOOTHED):
        model = counted(train, order=order, smoothing=smoothing)
        score = model.score(held_out)
        found[order, smoothing] = score.nats / score.tokens
    for smoothing in SMOOTHED:
        assert found[1, smoothing] > found[3, smoothing] + 0.3
    assert found[5, "kneser_ney"] < found[5, "witten_bell"]
    assert found[5, "kneser_ney"] < found[3, "kneser_ney"]


def test_it_is_quick() -> None:
    text = shipped_text() * 5
    start = time.process_time()
    counted(text, order=6)
    assert time.process_time() - start < 5


def quiet_trainer(folder: Path) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=1,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    )


def test_errors_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="order is 0; it must be 1 or more"):
        NGram(order=0)
    with pytest.raises(UserError, match="smoothing is 'laplace'; it must be kneser_ney"):
        NGram(smoothing="laplace")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="discount is 2"):
        NGram(discount=2.0)
    with pytest.raises(UserError, match="has counted no text"):
        NGram().distribution([3])
    with pytest.raises(UserError, match="no n-grams of order=3"):
        NGram().count([torch.tensor([2, 3])])
    with pytest.raises(UserError, match=r"set --data\.sampling lanes"):
        quiet_trainer(tmp_path).fit(NGram(), datamodule=CorpusDataModule(cache_dir=str(tmp_path)))
    lanes = CorpusDataModule(sampling="lanes", cache_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"knows 50: set --model\.vocabulary_size"):
        quiet_trainer(tmp_path).fit(NGram(vocabulary_size=50), datamodule=lanes)
    model = counted(TEXT, order=2)
    with pytest.raises(UserError, match="the character 'z' is none that the model was trained on"):
        next(model.generate_text("abz", 3))
    with pytest.raises(UserError, match="the text has no tokens"):
        next(model.generate_text("", 3))
    with pytest.raises(UserError, match="at least 2 are needed"):
        model.score("a")
    with pytest.raises(UserError, match="trained on other tokens than those of the data"):
        quiet_trainer(tmp_path).validate(counted(shipped_text(), order=2), datamodule=_other(tmp_path))


def _other(tmp_path: Path) -> CorpusDataModule:
    (tmp_path / "other.txt").write_text("xyz " * 5000)
    return CorpusDataModule(file=str(tmp_path / "other.txt"), sampling="lanes", cache_dir=str(tmp_path))
