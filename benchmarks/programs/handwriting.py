"""Handwriting: how much better a point is foreseen than by one Gaussian, and whether what is written can be read."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.programs.adaptation import accuracy, classifier_of
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import LetterStrokesDataModule, TensorImageDataset
from dlmodules import HandwritingSynthesis
from dlmodules.protocols import NO_POINT

SIDE = 28  # pixels of a picture of a letter
MARGIN = 3.0  # pixels around a letter
PEN = 0.9  # pixels from the middle of a line to where half of the ink is left
LINES = 300  # letters of each writer that the reader is trained on
EACH = 20  # letters of a kind that are written to be read
IN_WORD = 4  # letters of a word that is written


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does; of a module that writes texts let a classifier read its letters."""
    record = scores.measure(row, seed, context)
    metrics = {**record.metrics, "margin": record.metrics["baseline/loss"] - record.metrics["test/loss@last"]}
    module = scores.trained_module(row, seed, context, record)
    if isinstance(module, HandwritingSynthesis):
        metrics |= reading(module, seed, 10 if context.quick else LINES, 1 if context.quick else EACH)
    return replace(record, metrics=metrics)


def reading(module: HandwritingSynthesis, seed: int, lines: int = LINES, each: int = EACH) -> dict[str, float]:
    """Return how many letters a classifier reads: letters that are written alone, those of words, and real ones.

    The classifier has seen letters of the training's writers, ``lines`` of each; the real ones are of other writers.
    """
    data = LetterStrokesDataModule(shortest=1, longest=1, lines=lines, seed=seed)
    data.setup()
    sets = [part for part in (data.train_set, data.test_set) if part is not None]
    seen, unseen = (pictures_of(*part.__getitems__(range(len(part)))) for part in sets)
    letters = data.alphabet[1:]
    reader = classifier_of(seen, num_classes=len(letters), seed=seed)
    draw = torch.Generator().manual_seed(seed)
    asked = list(letters) * each
    alone = pictures_of(module.write(asked, draw), module.encode_texts(asked))
    order = torch.randperm(len(asked), generator=draw).tolist()
    shuffled = "".join(asked[place] for place in order)
    words = [shuffled[start : start + IN_WORD] for start in range(0, len(shuffled), IN_WORD)]
    in_words = pictures_of(*letters_of(module, words, draw))
    return {
        "read": accuracy(reader, alone),
        "read_in_words": accuracy(reader, in_words),
        "read_real": accuracy(reader, unseen),
        "baseline/read": 1 / len(letters),
    }


@torch.no_grad()
def letters_of(module: HandwritingSynthesis, words: list[str], draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Write ``words`` and return their letters ``(N, T, 3)`` apart, with the number of each ``(N, 1)``.

    A stroke belongs to the character that had most weight in the window when it was begun.
    """
    text, strokes = module.encode_texts(words), module.write(words, draw)
    network: Any = module.network
    state = network.start(text)
    looked_at = [torch.zeros(len(words), dtype=torch.int64)]
    for point in strokes[:, :-1].split(1, dim=1):  # type: ignore[no-untyped-call]
        _, state = network.read(point, state)
        looked_at.append(state.window.weights[:, :-1].argmax(dim=1))
    points = torch.cat([strokes[..., :2].cumsum(dim=1), strokes[..., 2:]], dim=2)
    begun = torch.cat([torch.ones(len(words), 1, dtype=torch.bool), strokes[:, :-1, 2] > 0.5], dim=1)
    start = torch.arange(strokes.shape[1]).expand_as(begun).where(begun, torch.tensor(0)).cummax(dim=1).values
    owner = torch.stack(looked_at, dim=1).gather(1, start).masked_fill(strokes[..., 2] < 0, -1)
    letters = [
        row[owners == place] for row, owners in zip(points, owner, strict=True) for place in range(text.shape[1])
    ]
    padded = nn.utils.rnn.pad_sequence(letters, batch_first=True, padding_value=NO_POINT)
    offsets = padded[..., :2].diff(dim=1, prepend=padded[:, :1, :2])
    return torch.cat([offsets, padded[..., 2:]], dim=2), text.reshape(-1, 1)


def pictures_of(strokes: Tensor, text: Tensor) -> TensorImageDataset:
    """Return pictures of lines ``(N, T, 3)`` of one letter each, whose numbers ``text`` ``(N, 1)`` are 2 or more."""
    images = torch.cat([rendered(part) for part in strokes.split(500)])  # type: ignore[no-untyped-call]
    return TensorImageDataset((images * 255).round().byte(), text[:, 0] - 2)


def rendered(strokes: Tensor, side: int = SIDE) -> Tensor:
    """Return pictures ``(N, 1, side, side)`` in [0, 1] of lines ``(N, T, 3)``, each as large as the picture allows."""
    there = strokes[..., 2] >= 0
    points = strokes[..., :2].cumsum(dim=1)
    low = points.masked_fill(~there[..., None], torch.inf).amin(dim=1, keepdim=True)
    high = points.masked_fill(~there[..., None], -torch.inf).amax(dim=1, keepdim=True)
    scale = (side - 1 - 2 * MARGIN) / (high - low).amax(dim=2, keepdim=True).clamp(min=1e-6)
    # Rows of a picture go down.
    places = (points - (low + high) / 2) * scale * torch.tensor([1.0, -1.0]) + (side - 1) / 2
    joined = there[:, 1:] & (strokes[:, :-1, 2] < 0.5)
    ends = torch.cat([torch.where(joined[..., None], places[:, 1:], places[:, :-1]), places[:, -1:]], dim=1)
    x, y = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="xy")
    to_pixel = torch.stack([x, y], dim=-1).flatten(0, 1) - places[:, :, None]
    along = (ends - places)[:, :, None]
    share = ((to_pixel * along).sum(dim=-1) / along.square().sum(dim=-1).clamp(min=1e-9)).clamp(0, 1)
    distance = (to_pixel - share[..., None] * along).norm(dim=-1)
    nearest = distance.masked_fill(~there[..., None], torch.inf).amin(dim=1)
    ink: Tensor = (PEN + 0.5 - nearest).clamp(0, 1)
    return ink.view(-1, 1, side, side)
