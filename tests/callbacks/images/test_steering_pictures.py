"""Frames, where the network looks, and how it and the driver steer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from callbacks import SteeringPictures
from callbacks.base.captions import captioned_grid
from callbacks.base.overlays import above_maps
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, trainer


class Redness(LightningModule):
    """Steers by the red of a frame, and looks where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def steer(self, frames: Tensor) -> Tensor:
        assert not self.training
        return frames[:, 0].mean(dim=(1, 2))

    def saliency(self, frames: Tensor) -> Tensor:
        return frames[:, :1]

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self.layer(torch.ones(1)).sum()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def test_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def drive(seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (20, 3, 8, 12), generator=draw).float() / 255, torch.linspace(-1, 1, 20)


def batches(*fields: Tensor) -> DataLoader[Any]:
    return DataLoader(TensorDataset(*fields), batch_size=6)


@pytest.mark.parametrize(("spacing", "rows"), [(4, [0, 4, 8]), (8, [0, 8, 16]), (15, [0, 15])])
def test_frames_of_so_many_with_their_maps_and_both_steerings(tmp_path: Path, spacing: int, rows: list[int]) -> None:
    logger, (frames, steering) = ImageLogger(), drive()
    fitted = trainer(tmp_path, SteeringPictures(num=3, spacing=spacing, columns=2), logger=logger)
    fitted.fit(Redness(), batches(*drive(1)), batches(frames, steering))  # of six
    chosen = frames[rows]
    captions = [
        f"network {found:+.2f}, driver {wanted:+.2f}"
        for found, wanted in zip(chosen[:, 0].mean(dim=(1, 2)).tolist(), steering[rows].tolist(), strict=True)
    ]
    ((name, picture, _),) = logger.pictures
    assert name == "steering"
    assert (picture == captioned_grid(above_maps(chosen, chosen[:, :1]), captions, 2)).all()
    fitted.test(Redness(), batches(*drive(2)), verbose=False)
    assert logger.pictures[-1][0] == "test/steering"
    assert logger.pictures[-1][1].shape == picture.shape


def test_without_a_driver_there_is_the_network_alone(tmp_path: Path) -> None:
    logger, (frames, _) = ImageLogger(), drive()
    trainer(tmp_path, SteeringPictures(num=2, spacing=1), logger=logger).fit(
        Redness(), batches(frames), batches(frames)
    )
    ((_, picture, _),) = logger.pictures
    captions = [f"network {found:+.2f}" for found in frames[:2, 0].mean(dim=(1, 2)).tolist()]
    assert (picture == captioned_grid(above_maps(frames[:2], frames[:2, :1]), captions, 4)).all()


def test_what_does_not_steer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"SteeringPictures .*ToyVAE"):
        trainer(tmp_path, SteeringPictures()).fit(ToyVAE(), loader(), loader())
    with pytest.raises(UserError, match="spacing and columns must be 1 or more"):
        SteeringPictures(spacing=0)
