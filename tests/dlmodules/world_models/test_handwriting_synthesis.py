"""Handwriting of a text: its window by hand, where a line ends, and that it writes what it is asked for."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import LetterStrokesDataModule
from dlmodules import HandwritingSynthesis
from dlmodules.errors import UserError
from dlmodules.world_models.handwriting_networks import SynthesisNetwork, Window
from tests.quiet import quiet_trainer

TEXT = torch.tensor([[2, 1, 3], [1, 0, 0]])


def small(**arguments: Any) -> HandwritingSynthesis:
    torch.manual_seed(0)
    return HandwritingSynthesis(**{**HandwritingSynthesis.small_arguments, **arguments})


def window_of(network: SynthesisNetwork, text: torch.Tensor = TEXT) -> Window:
    window = network.start(text).window
    assert window is not None
    return window


def test_sizes_are_those_of_the_paper() -> None:
    """Around 3.7 million weights with the paper's 57 characters."""
    network = SynthesisNetwork(57)
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_369_321 + 3 * 1600 * 57 + 401 * 30


def test_the_window_by_hand() -> None:
    """Graves' equations 46 to 51 with two Gaussians, whose heights, sharpnesses and steps are given."""
    network = SynthesisNetwork(3, windows=2, hidden_dim=4, layers=1, components=1)
    heights, sharpnesses, steps = [0.5, 2.0], [1.0, 3.0], [0.25, 1.5]
    with torch.no_grad():
        network.look.weight.zero_()
        network.look.bias.copy_(torch.tensor([*heights, *sharpnesses, *steps]).log())
    window = window_of(network)
    assert torch.equal(window.seen, torch.zeros(2, 3))
    for moved in (1, 2):
        window = network.moved(torch.randn(2, 4), window)
        assert window.place[0].tolist() == pytest.approx([moved * step for step in steps])
        weights = [
            sum(
                height * math.exp(-sharpness * (moved * step - character) ** 2)
                for height, sharpness, step in zip(heights, sharpnesses, steps, strict=True)
            )
            for character in (1, 2, 3, 4)
        ]
        assert window.weights[0].tolist() == pytest.approx(weights, rel=1e-5)
        # The text is the second, the first and the third of the alphabet; that of the other line is only the first.
        assert window.seen[0].tolist() == pytest.approx([weights[1], weights[0], weights[2]], rel=1e-5)
        assert window.seen[1].tolist() == pytest.approx([weights[0], 0.0, 0.0], rel=1e-5)


def test_a_line_has_passed_where_the_place_behind_it_weighs_four_times_as_much() -> None:
    network = SynthesisNetwork(3, hidden_dim=4, layers=1, components=1)
    weights = torch.tensor([[0.1, 0.2, 0.3, 1.1], [0.1, 0.5, 0.0, 0.0]])
    assert window_of(network)._replace(weights=weights).passed.tolist() == [False, True]
    weights = torch.tensor([[0.1, 0.2, 0.3, 1.3], [0.2, 0.2, 0.9, 0.9]])
    assert window_of(network)._replace(weights=weights).passed.tolist() == [True, False]
    assert not window_of(network).passed.any()


def test_a_line_ends_behind_its_text_where_the_pen_is_lifted() -> None:
    module = small()
    state = module.network.start(TEXT)
    passed = state.window._replace(weights=torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]))
    lifted = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert module.has_ended(state._replace(window=passed), lifted).tolist() == [True, False]
    assert module.has_ended(state, lifted).tolist() == [False, False]


def test_before_anything_is_learned_the_window_moves_at_the_pace_of_the_text() -> None:
    torch.manual_seed(0)
    network = SynthesisNetwork(3, points_per_character=8.0, hidden_dim=4)
    strokes = torch.randn(1, 80, 3)
    _, state = network.read(strokes, network.start(torch.tensor([[1, 2, 3, 1, 2, 3, 1, 2, 3, 1]])))
    assert state.window is not None
    assert state.window.place.mean().item() == pytest.approx(10.0, rel=0.05)
    assert state.window.weights[0, 9].item() == pytest.approx(1.0, abs=0.2)


def test_reading_point_by_point_is_reading_all() -> None:
    network = SynthesisNetwork(3, windows=2, hidden_dim=5, layers=2, components=2)
    strokes, state, outputs = torch.randn(2, 4, 3), network.start(TEXT), []
    for point in strokes.split(1, dim=1):
        output, state = network.read(point, state)
        outputs.append(output)
    assert torch.allclose(torch.cat(outputs, dim=1), network(strokes, TEXT), atol=1e-6)


def test_what_is_behind_a_text_changes_nothing() -> None:
    module = small()
    strokes, text = module.example_batch(3)
    longer = torch.cat([text, torch.zeros(3, 2, dtype=torch.int64)], dim=1)
    assert torch.allclose(module.predict_step((strokes, text), 0), module.predict_step((strokes, longer), 0))


def test_texts_are_numbers_and_stand_for_the_other_case() -> None:
    module = small()
    assert module.encode_texts(["A b", "9"]).tolist() == [[2, 1, 3], [37, 0, 0]]
    both = small(alphabet="aA")
    assert both.encode_texts(["aA"]).tolist() == [[1, 2]]
    with pytest.raises(UserError, match=r"'!\?' cannot be written: HandwritingSynthesis knows ' ABC"):
        module.encode_texts(["what?", "A!"])
    for texts in ([], [""], ["A", ""]):
        with pytest.raises(UserError, match="there is no text to write"):
            module.encode_texts(texts)


def test_lines_that_it_writes_are_padded_behind_their_ends() -> None:
    module = small(length=15).eval()
    with torch.no_grad():  # a window that is behind the second character after ten points
        module.network.look.weight.zero_()
        module.network.look.bias[4:] = math.log(0.25)
        module.network.output.bias[0] = 3.0  # and a pen that is mostly lifted
    strokes = module.write(["A", "AAAAAAAA"], torch.Generator().manual_seed(0))
    assert strokes.shape == (2, 15, 3)
    end = int((strokes[0, :, 2] >= 0).sum())
    assert 5 <= end < 12
    assert (strokes[0, end:] == torch.tensor([0.0, 0.0, -1.0])).all()
    assert strokes[0, end - 1, 2] == 1
    assert (strokes[1, :, 2] >= 0).all()
    assert module.sample_strokes(3).shape[0] == 3


def test_errors_are_one_line(tmp_path: Path) -> None:
    module = small()
    strokes, text = module.example_batch(3)
    for batch in (strokes, (strokes, text.float()), (strokes, text[:, 0])):
        with pytest.raises(UserError, match="needs batches of inputs and labels, strokes and the characters"):
            module.training_step(batch, 0)
    for wrong in (text[:2], text + 40, text - 9):
        with pytest.raises(UserError, match=r"strokes of 3 lines and texts of 2|there is a token"):
            module.training_step((strokes, wrong), 0)
    for alphabet in ("", "ABA"):
        with pytest.raises(UserError, match="it must have one character or more, each once"):
            HandwritingSynthesis(alphabet=alphabet)
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    with pytest.raises(UserError, match=r"the data have the alphabet ' ABC.*writes 'ABC': pass --model.alphabet"):
        trainer.fit(small(alphabet="ABC"), datamodule=LetterStrokesDataModule.small())


@pytest.mark.learning
def test_it_learns_to_look_at_the_text(tmp_path: Path) -> None:
    """With its text a line is foreseen much better than with another one: 0.3 nats a point."""
    torch.manual_seed(0)
    data = LetterStrokesDataModule(longest=2, writers=8, val_writers=0, test_writers=4, lines=100)
    module = HandwritingSynthesis(
        hidden_dim=64,
        layers=1,
        components=5,
        windows=3,
        points_per_character=12.0,
        optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
    )
    trainer = quiet_trainer(max_epochs=10, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(module, datamodule=data)
    data.setup("test")
    assert data.test_set is not None
    strokes, text = data.test_set.__getitems__(range(len(data.test_set)))
    module.eval()
    with torch.no_grad():
        own = module.predict_step((strokes, text), 0).mean()
        other = module.predict_step((strokes, text.roll(1, dims=0)), 0).mean()
    assert own < other - 0.3
