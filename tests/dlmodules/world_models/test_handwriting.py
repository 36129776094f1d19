"""Handwriting: its loss by hand, what its network reads, clipping, and that it foresees points."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.programs.baselines import one_gaussian
from datamodules import LetterStrokesDataModule
from dlmodules import HandwritingMDN
from dlmodules.errors import UserError
from dlmodules.world_models.handwriting_networks import HandwritingNetwork
from tests.quiet import quiet_trainer

# A line of three points and one of four.
STROKES = torch.tensor(
    [
        [[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.2, -0.3, 1.0], [0.0, 0.0, -1.0]],
        [[0.0, 0.0, 1.0], [-1.0, 2.0, 0.0], [0.1, 0.1, 0.0], [0.4, -0.6, 1.0]],
    ]
)


def small(**arguments: Any) -> HandwritingMDN:
    torch.manual_seed(0)
    return HandwritingMDN(**{**HandwritingMDN.small_arguments, **arguments})


class Always(nn.Module):
    """Expects a standard normal offset, and that the pen is lifted in one of four points."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs = nn.Parameter(torch.tensor([-math.log(3.0), 0, 0, 0, 0, 0, 0]))

    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        return self.outputs.expand(*x.shape[:2], 7) + 0 * x.sum(dim=2, keepdim=True)


@pytest.mark.parametrize(("hidden_dim", "layers", "count"), [(400, 3, 3_369_321), (900, 1, 3_367_021)])
def test_sizes_are_those_of_the_paper(hidden_dim: int, layers: int, count: int) -> None:
    """Around 3.4 million weights both, without the connections of the paper's cells and with a second bias."""
    network = HandwritingMDN(hidden_dim=hidden_dim, layers=layers).network
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_loss_is_the_nats_of_a_point_that_is_there() -> None:
    module = HandwritingMDN(network=Always(), components=1)
    targets = STROKES[:, 1:][STROKES[:, 1:, 2] >= 0]
    assert len(targets) == 5
    offsets = 0.5 * targets[:, :2].square().sum(dim=1) + math.log(2 * math.pi)
    pens = torch.where(targets[:, 2] > 0.5, math.log(4.0), math.log(4.0 / 3.0))
    assert module.training_step(STROKES, 0).item() == pytest.approx((offsets + pens).mean().item(), rel=1e-5)
    # Of each line by itself.
    first = (offsets + pens)[:2].mean().item()
    assert module.predict_step(STROKES, 0).tolist() == pytest.approx(
        [first, (offsets + pens)[2:].mean().item()], rel=1e-5
    )


def test_a_validation_is_a_mean_over_points_and_counts_pens(tmp_path: Path) -> None:
    module = HandwritingMDN(network=Always(), components=1)
    loader = DataLoader([STROKES, STROKES[:1]], batch_size=None)  # type: ignore[arg-type]  # a list is a data set
    found = quiet_trainer(default_root_dir=tmp_path).validate(module, loader, verbose=False)[0]
    # Two of the five points and one of the two have the pen lifted, which is never expected.
    assert found["val/pen_accuracy"] == pytest.approx(4 / 7)
    assert found["val/pen_loss"] == pytest.approx((3 * math.log(4.0) + 4 * math.log(4.0 / 3.0)) / 7, rel=1e-5)
    assert found["val/loss"] == pytest.approx(found["val/pen_loss"] + found["val/offset_loss"], rel=1e-6)


def test_what_is_behind_a_line_changes_nothing() -> None:
    module = small()
    alone, together = (module.predict_step(part, 0) for part in (STROKES[:1, :3], STROKES))
    assert alone[0].item() == pytest.approx(together[0].item(), rel=1e-5)


def test_no_point_is_foreseen_by_itself() -> None:
    module = small().eval()
    changed = STROKES.clone()
    changed[:, 2] += 1.0
    before, after = (module.describe(strokes)[0] for strokes in (STROKES, changed))
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.equal(before[:, 2], after[:, 2])


def test_each_layer_reads_the_points_and_each_is_heard() -> None:
    torch.manual_seed(0)
    network = HandwritingNetwork(hidden_dim=5, layers=3, components=2)
    assert [lstm.input_size for lstm in network.lstms] == [3, 8, 8]
    assert network.output.in_features == 15
    outputs = network(STROKES)
    assert outputs.shape == (2, 4, 13)
    for layer in range(3):  # whichever is silent, the output changes; and so it does without its first inputs
        with torch.no_grad():
            weights = network.output.weight.clone()
            network.output.weight[:, 5 * layer : 5 * layer + 5] = 0
            assert not torch.allclose(network(STROKES), outputs)
            network.output.weight.copy_(weights)
            lstm = network.lstms[layer]
            inputs = lstm.weight_ih_l0.clone()
            lstm.weight_ih_l0[:, :3] = 0
            assert not torch.allclose(network(STROKES), outputs)
            lstm.weight_ih_l0.copy_(inputs)


def test_reading_point_by_point_is_reading_all() -> None:
    network = HandwritingNetwork(hidden_dim=5, layers=2, components=2)
    state, outputs = network.start(torch.zeros(2, 0, dtype=torch.int64)), []
    for point in STROKES.split(1, dim=1):
        output, state = network.read(point, state)
        outputs.append(output)
    assert torch.allclose(torch.cat(outputs, dim=1), network(STROKES), atol=1e-6)


def test_derivatives_of_a_point_are_clipped() -> None:
    """An offset of a hundred has one of about as much in the mean of a Gaussian, for each of its two numbers."""
    far = torch.tensor([[[0.0, 0, 0], [100.0, -100.0, 0.0], [0.0, 0.0, 1.0]]])
    free = HandwritingMDN(network=Always(), components=1, clip_outputs=None)
    free.training_step(far, 0).backward()
    clipped = HandwritingMDN(network=Always(), components=1, clip_outputs=3.0)
    clipped.training_step(far, 0).backward()
    # The mean of two points, of which the second has no derivative there.
    assert free.network.outputs.grad[2:4].tolist() == pytest.approx([-50.0, 50.0], rel=1e-4)
    assert clipped.network.outputs.grad[2:4].tolist() == pytest.approx([-1.5, 1.5], rel=1e-4)


def test_derivatives_of_the_lstms_are_clipped() -> None:
    far = STROKES * torch.tensor([1e3, 1e3, 1.0])
    gradients = []
    for limit in (None, 1e-3):
        module = small(clip_outputs=None, clip_lstms=limit)
        module.training_step(far, 0).backward()
        gradients.append(max(float(lstm.weight_hh_l0.grad.abs().max()) for lstm in module.network.lstms))
        assert (module.network.gradient_limit is None) == (limit is None)
    assert gradients[1] < 1e-2 < gradients[0]


def test_it_writes_as_many_points_as_it_is_asked_for() -> None:
    module = small().eval()
    first, second = (module.sample_strokes(3, torch.Generator().manual_seed(1)) for _ in range(2))
    assert first.shape == (3, 20, 3)
    assert torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert (first[:, 0] == 0).all()
    assert set(first[..., 2].unique().tolist()) == {0.0, 1.0}
    assert module.sample_strokes(1, length=7).shape == (1, 7, 3)


def test_the_bias_makes_it_write_more_neatly() -> None:
    module = small(components=1).eval()
    wild, neat = (
        module.sample_strokes(200, torch.Generator().manual_seed(0), bias=bias, length=2)[:, 1, :2].std(dim=0)
        for bias in (0.0, 2.0)
    )
    assert (neat / wild).tolist() == pytest.approx([math.exp(-2.0)] * 2, rel=1e-3)
    assert torch.equal(
        small(bias=2.0).sample_strokes(3, torch.Generator().manual_seed(0)),
        small().sample_strokes(3, torch.Generator().manual_seed(0), bias=2.0),
    )


def test_errors_are_one_line() -> None:
    module = small()
    for batch in (STROKES[..., :2], STROKES[:, :1], STROKES[0], STROKES.long()):
        with pytest.raises(UserError, match=r"takes strokes \(B, T, 3\) float32 of two points or more, but the data"):
            module.training_step(batch, 0)
    with pytest.raises(UserError, match="n is 0; it must be 1 or more"):
        module.sample_strokes(0)
    for arguments, message in (
        ({"bias": -1.0}, r"bias is -1.0; it must be 0 or more"),
        ({"clip_outputs": 0.0}, r"clip_outputs is 0.0; it must be greater than 0"),
        ({"clip_lstms": -1.0}, r"clip_lstms is -1.0; it must be greater than 0"),
        ({"length": 0}, "length is 0; it must be 1 or more"),
        ({"components": 0}, "components is 0; it must be 1 or more"),
    ):
        with pytest.raises(UserError, match=message):
            HandwritingMDN(**arguments)  # type: ignore[arg-type]


@pytest.mark.learning
def test_it_foresees_where_the_pen_goes(tmp_path: Path) -> None:
    """A point is foreseen 1.5 nats better than by one Gaussian, by writers that are not trained on."""
    torch.manual_seed(0)
    data = LetterStrokesDataModule(longest=3, writers=16, val_writers=0, test_writers=4, lines=50)
    module = HandwritingMDN(hidden_dim=64, layers=1, components=5, optimizer=lambda p: torch.optim.Adam(p, lr=1e-2))
    trainer = quiet_trainer(max_epochs=8, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(module, datamodule=data)
    (measured,) = trainer.test(module, datamodule=data, verbose=False)
    assert measured["test/loss"] < one_gaussian(data)["baseline/loss"] - 1.5
    assert measured["test/pen_accuracy"] > 0.85
