import numpy as np
import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.rl.imitation.views import CloningNetwork, grey_view, require_frames


def test_the_network_has_the_books_parameters() -> None:
    assert sum(p.numel() for p in CloningNetwork().parameters()) == 455_831
    assert CloningNetwork()(torch.rand(2, 1, 84, 84)).shape == (2, 7)
    assert CloningNetwork(outputs=3, num_frames=4, dropout=0.0)(torch.rand(2, 4, 84, 84)).shape == (2, 3)


def test_the_bar_and_the_sides_are_cut_off_and_the_rest_is_grey() -> None:
    frame = np.zeros((1, 96, 96, 3), dtype=np.uint8)
    frame[0, 0, 6], frame[0, 83, 89], frame[0, 40, 50] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    frame[0, 84:], frame[0, :, :6], frame[0, :, 90:] = 255, 255, 255
    view = grey_view(torch.from_numpy(frame))
    assert view.shape == (1, 1, 84, 84)
    assert view.dtype == torch.uint8
    found = {(int(y), int(x)): int(view[0, 0, y, x]) for y, x in view[0, 0].nonzero()}
    assert found == {(0, 0): 76, (83, 83): 150, (40, 44): 29}  # of 255: .299, .587, .114


def test_frames_in_a_row_are_pictures_of_one_view() -> None:
    frames = torch.randint(256, (2, 3, 96, 96, 3), dtype=torch.uint8)
    assert torch.equal(grey_view(frames)[:, 1], grey_view(frames[:, 1])[:, 0])


@pytest.mark.parametrize(
    ("shape", "num_frames", "advice"),
    [
        ((64, 64, 3), 1, r"an observation is \[64, 64, 3\]: set env_kwargs.size to 96"),
        ((4, 96, 96, 3), 1, "set num_frames to 4"),
        ((96, 96, 3), 4, "FrameStackObservation"),
    ],
)
def test_other_frames_are_refused_with_advice(shape: tuple[int, ...], num_frames: int, advice: str) -> None:
    with pytest.raises(UserError, match=advice):
        require_frames(shape, num_frames)
