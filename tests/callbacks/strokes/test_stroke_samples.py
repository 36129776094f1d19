"""Drawings of what a module writes."""

from pathlib import Path

import pytest
import torch

from callbacks import StrokeSamples
from callbacks.strokes.stroke_samples import pen_lines, strokes_figure
from datamodules import LetterStrokesDataModule
from dlmodules import VAE, HandwritingMDN, HandwritingSynthesis
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, trainer

LINE = torch.tensor([[0.0, 0, 0], [1, 2, 1], [3, 0, 0], [0, -2, 0], [1, 0, 1], [2, 2, 1], [0, 0, -1]])


def test_the_pen_leaves_a_line_where_it_is_not_lifted() -> None:
    assert [line.tolist() for line in pen_lines(LINE)] == [[[0, 0], [1, 2]], [[4, 2], [4, 0], [5, 0]], [[7, 2]]]


def test_lines_are_drawn_at_one_scale_with_their_texts() -> None:
    figure = strokes_figure(torch.stack([LINE, LINE * torch.tensor([0.5, 0.5, 1.0])]), 2, ["a$b", "c"])
    first, second = figure.axes
    assert [len(line.get_xdata()) for line in first.lines] == [2, 3, 1]  # type: ignore[arg-type]
    assert [line.get_marker() for line in first.lines] == ["", "", "."]
    widths = [axes.get_xlim()[1] - axes.get_xlim()[0] for axes in (first, second)]
    assert widths[0] == pytest.approx(widths[1])
    assert [axes.get_title() for axes in (first, second)] == [r"a\$b", "c"]


def test_a_point_alone_can_be_drawn() -> None:
    assert len(strokes_figure(torch.zeros(1, 1, 3)).axes) == 1


def test_lines_are_drawn_each_time_from_the_same_numbers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, logger = HandwritingMDN(**HandwritingMDN.small_arguments), ImageLogger()
    fit = trainer(tmp_path, StrokeSamples(num=4, columns=2), logger=logger, max_epochs=2)
    fit.fit(module, LetterStrokesDataModule.small())
    assert [name for name, _, _ in logger.pictures] == ["stroke_samples"] * 2
    assert len(list((tmp_path / "media").glob("stroke_samples-*.png"))) == 2


def test_texts_are_written_by_what_writes_them(tmp_path: Path) -> None:
    module, data = HandwritingSynthesis(**HandwritingSynthesis.small_arguments), LetterStrokesDataModule.small()
    logger = ImageLogger()
    trainer(tmp_path, StrokeSamples(texts=["AB", "C 1"]), logger=logger).fit(module, data)
    assert len(logger.pictures) == 1
    with pytest.raises(UserError, match="'!' cannot be written"):
        trainer(tmp_path, StrokeSamples(texts=["A!"])).fit(module, data)
    with pytest.raises(UserError, match="StrokeSamples needs a module with a method `write`; HandwritingMDN has none"):
        trainer(tmp_path, StrokeSamples(texts=["A"])).fit(HandwritingMDN(**HandwritingMDN.small_arguments), data)
    with pytest.raises(UserError, match="StrokeSamples needs a module with a method `sample_strokes`"):
        trainer(tmp_path, StrokeSamples()).fit(VAE((1, 8, 8)), data)
