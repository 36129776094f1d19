"""What is written and drawn of models that write a text for a text, or ask about one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from callbacks import AnswerProbabilities, AttentionMaps, PairSamples
from callbacks.text.answer_probabilities import answers_figure
from datamodules import DatesDataModule, FactsDataModule
from dlmodules import QuestionGenerator, Seq2Seq
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import trainer


def fit(folder: Path, *pictures: Any, **more: Any) -> None:
    torch.manual_seed(0)
    data = DatesDataModule(**{**DatesDataModule.small_arguments, "train_size": 8})
    model = Seq2Seq(**{**Seq2Seq.small_arguments, **more})
    trainer(folder, *pictures, max_epochs=2).fit(model, datamodule=data)


def ask(folder: Path, *pictures: Any) -> None:
    torch.manual_seed(0)
    data = FactsDataModule(**{**FactsDataModule.small_arguments, "train_size": 4})
    trainer(folder, *pictures, max_epochs=1).fit(QuestionGenerator(**QuestionGenerator.small_arguments), data)


def test_the_same_pairs_are_written_each_time(tmp_path: Path) -> None:
    fit(tmp_path, PairSamples(number=2))
    files = sorted((tmp_path / "media").glob("pair_samples-*.txt"))
    assert len(files) == 2
    kept = [[line for line in file.read_text().splitlines() if not line.startswith("written:")] for file in files]
    assert kept[0] == kept[1]
    pairs = DatesDataModule(**DatesDataModule.small_arguments).example_pairs(2)
    for source, target in pairs:
        assert f"source: {source}" in kept[0]
        assert f"target: {target}" in kept[0]
    own = tmp_path / "own"
    fit(own, PairSamples(["5 may 1950"], beam=2))
    assert "source: 5 may 1950" in next((own / "media").glob("pair_samples-*.txt")).read_text()


def test_attention_is_drawn(tmp_path: Path) -> None:
    fit(tmp_path, AttentionMaps(["5 may 1950", "6 may 1950"]))
    pictures = sorted(file.name for file in (tmp_path / "media").glob("attention_*.png"))
    assert len(pictures) == 4
    assert {name[:11] for name in pictures} == {"attention_1", "attention_2"}


def test_words_are_drawn_by_their_probabilities(tmp_path: Path) -> None:
    ask(tmp_path, AnswerProbabilities(number=2), PairSamples(number=1))
    assert len(list((tmp_path / "media").glob("answers_*.png"))) == 2
    figure = answers_figure(["$5"] * 40, torch.linspace(0, 1, 40))
    heights = [bar.get_height() for axes in figure.axes for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == pytest.approx(torch.linspace(0, 1, 40).tolist())
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == [r"\$5"] * 10
    with Image.open(next((tmp_path / "media").glob("answers_1*.png"))) as picture:
        assert picture.width > picture.height


def test_nothing_is_trained_where_a_text_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is none that the model was trained on"):
        fit(tmp_path, PairSamples(["☃"]))
    with pytest.raises(UserError, match="is none that the model was trained on"):
        fit(tmp_path, AttentionMaps(["☃"]))
    with pytest.raises(UserError, match="there is nothing to look at"):
        fit(tmp_path, AttentionMaps(), attention="none")
    with pytest.raises(UserError, match="the text has no tokens"):
        ask(tmp_path, AnswerProbabilities([" "]))
    with pytest.raises(UserError, match="AnswerProbabilities needs a module with a method"):
        fit(tmp_path, AnswerProbabilities())
    with pytest.raises(UserError, match="number is 0"):
        AttentionMaps(number=0)
