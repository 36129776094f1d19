"""Pictures of images and their translations."""

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from callbacks import Translations
from callbacks.base.grids import image_grid
from tests.callbacks.callback_toys import ImageLogger, trainer


class ToColour(LightningModule):
    """Grey images become their negatives in colours; with ``both`` there is a way back, which halves them."""

    def __init__(self, both: bool = False, channels: int = 3) -> None:
        super().__init__()
        self.domain_shapes = {"a": (1, 8, 8), "b": (channels, 8, 8)}
        self.directions = ("a2b", "b2a") if both else ("a2b",)
        self.layer = nn.Linear(1, 1)

    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        assert not self.training
        channels = self.domain_shapes[direction[-1]][0]
        return 1 - x.mean(1, keepdim=True).expand(-1, channels, -1, -1) if direction == "a2b" else x[:, :1] / 2

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self.layer(torch.ones(1)).sum()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def test_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def pairs(n: int = 6, channels: int = 3, seed: int = 0) -> DataLoader[Any]:
    draw = torch.Generator().manual_seed(seed)
    a, b = (torch.randint(0, 256, (n, c, 8, 8), generator=draw).float() / 255 for c in (1, channels))
    return DataLoader([(a[:4], b[:4]), (a[4:], b[4:])], batch_size=None)  # type: ignore[arg-type]  # a list of batches


def test_what_is_not_paired_is_not_wanted(tmp_path: Path) -> None:
    class Unpaired(ToColour):
        paired = False

    logger, data = ImageLogger(), pairs()
    trainer(tmp_path, Translations(num=5), logger=logger).fit(Unpaired(), pairs(seed=1), data)
    a, b = (torch.cat([batch[part] for batch in data])[:5] for part in (0, 1))
    rows = torch.cat([a.expand(-1, 3, -1, -1), 1 - a.expand(-1, 3, -1, -1), b])
    assert (logger.pictures[0][1] == image_grid(rows, 5, row_labels=["input", "output", "real"])).all()


def test_below_each_image_its_translation_and_what_was_wanted(tmp_path: Path) -> None:
    logger, data = ImageLogger(), pairs()
    fitted = trainer(tmp_path, Translations(num=5), logger=logger)
    fitted.fit(ToColour(), pairs(seed=1), data)
    a, b = (torch.cat([batch[part] for batch in data])[:5] for part in (0, 1))
    rows = torch.cat([a.expand(-1, 3, -1, -1), 1 - a.expand(-1, 3, -1, -1), b])
    ((name, picture, _),) = logger.pictures
    assert name == "translations_a2b"
    assert (picture == image_grid(rows, 5, row_labels=["input", "output", "wanted"])).all()
    fitted.test(ToColour(), pairs(seed=2), verbose=False)
    assert logger.pictures[-1][0] == "test/translations_a2b"


def test_with_a_way_back_there_are_both_ways(tmp_path: Path) -> None:
    logger, data = ImageLogger(), pairs(channels=1)
    named = [{"a": a, "b": b} for a, b in data]
    trainer(tmp_path, Translations(num=4), logger=logger).fit(
        ToColour(both=True, channels=1),
        pairs(channels=1, seed=1),
        DataLoader(named, batch_size=None),  # type: ignore[arg-type]  # a list of batches
    )
    a, b = next(iter(data))
    labels = ["input", "output", "back", "identity"]
    forth, back = [picture for _, picture, _ in logger.pictures]
    assert [name for name, *_ in logger.pictures] == ["translations_a2b", "translations_b2a"]
    assert (forth == image_grid(torch.cat([a, 1 - a, (1 - a) / 2, a / 2]), 4, row_labels=labels)).all()
    assert (back == image_grid(torch.cat([b, b / 2, 1 - b / 2, 1 - b]), 4, row_labels=labels)).all()


def test_other_channels_have_no_identity(tmp_path: Path) -> None:
    logger = ImageLogger()
    trainer(tmp_path, Translations(num=2), logger=logger).fit(ToColour(both=True), pairs(), pairs())
    heights = {picture.shape[0] for _, picture, _ in logger.pictures}
    assert heights == {2 + 3 * 66}
