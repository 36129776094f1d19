"""Handwriting of a given text: a mixture density network that looks at the characters through a window."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import HasAlphabet
from dlmodules.sampling.devices import sampling_device
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.batches import fields_of, labels_in
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.tokens import check_token_range
from dlmodules.world_models.handwriting import HandwritingMDN
from dlmodules.world_models.handwriting_networks import State, SynthesisNetwork

AT_RANDOM = 5
"""Characters of a line where no text is given."""


class HandwritingSynthesis(HandwritingMDN):
    """A ``HandwritingMDN`` that writes a given text: it looks at the characters through a window that moves on.

    Batches are ``(strokes, text)``: strokes as of ``HandwritingMDN``, and characters ``(B, L)`` int64, their places in
    ``alphabet`` from 1 on, and 0 behind a shorter text. A line that it writes ends where the window is behind its last
    character and the pen is lifted.

    Logged: what ``HandwritingMDN`` logs.

    Paper: Graves 2013, Generating Sequences With Recurrent Neural Networks, arXiv:1308.0850.
    Books: foster F8.10.

    Args:
        network: in place of the one that the arguments describe, with the methods of ``SynthesisNetwork``.
        alphabet: the characters that it writes, those of the data.
        windows: Gaussians of the window.
        points_per_character: how fast the window moves before anything is learned.
        hidden_dim: units of each LSTM.
        layers: LSTMs, each of which reads the point, what is seen through the window and the one below.
        components: Gaussians of the mixture.
        dropout: fraction of the outputs of each LSTM that are set to 0 in training.
        bias: how neatly it writes: Graves' b, 0 or more; 0 draws from the mixture itself.
        length: points of a line that it writes, at most.
        **kwargs: of ``HandwritingMDN``.

    Raises:
        UserError: for a number out of range, data of another alphabet, and batches without texts.
    """

    small_arguments: ClassVar[dict[str, Any]] = {**HandwritingMDN.small_arguments, "windows": 2}

    def __init__(
        self,
        network: nn.Module | None = None,
        alphabet: str = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        windows: int = 10,
        points_per_character: float = 25.0,
        hidden_dim: int = 400,
        layers: int = 3,
        components: int = 20,
        dropout: float = 0.0,
        bias: float = 1.0,
        length: int = 500,
        **kwargs: Any,
    ) -> None:
        if not alphabet or len(set(alphabet)) < len(alphabet):
            raise UserError(f"alphabet is {alphabet!r}; it must have one character or more, each once")
        made = network or SynthesisNetwork(
            len(alphabet), windows, points_per_character, hidden_dim, layers, components, dropout
        )
        super().__init__(made, hidden_dim, layers, components, dropout, bias=bias, length=length, **kwargs)
        self.alphabet = alphabet

    @override
    def setup(self, stage: str) -> None:
        """Refuse data of another alphabet."""
        super().setup(stage)
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, HasAlphabet) and list(data.alphabet) != list(self.alphabet):
            given = repr("".join(data.alphabet)) if isinstance(data.alphabet, str) else f"{len(data.alphabet)} names"
            raise UserError(
                f"the data have the alphabet {given}, and {type(self).__name__} writes {self.alphabet!r}:"
                " pass --model.alphabet that of the data"
            )

    @override
    def describe(self, batch: Any) -> tuple[Tensor, Tensor]:
        strokes = self.strokes_of(batch)
        return self(strokes[:, :-1], self.text_of(batch, len(strokes))), strokes[:, 1:]

    def text_of(self, batch: Any, n: int) -> Tensor:
        """Return the characters ``(n, L)`` of a batch.

        Raises:
            UserError: it has none, those of another number of lines, or one that is not in the alphabet.
        """
        text, name = labels_in(fields_of(batch)), type(self).__name__
        if text is None or text.ndim != 2 or text.is_floating_point():
            raise UserError(
                f"{name} needs batches of inputs and labels, strokes and the characters (B, L) of each line: choose"
                " another --data, such as LetterStrokesDataModule"
            )
        if len(text) != n:
            raise UserError(f"{name} is given strokes of {n} lines and texts of {len(text)}")
        if may_read(text):
            check_token_range(text, len(self.alphabet) + 1, name, "set --model.alphabet to that of the data")
        return text

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Return the characters ``(B, L)`` int64 of ``texts``; in the other case where the alphabet has only that.

        Raises:
            UserError: there is no text, an empty one, or one with a character that is not in the alphabet.
        """
        if not texts or not all(texts):
            raise UserError("there is no text to write")
        numbers = {character: number for number, character in enumerate(self.alphabet, start=1)}
        folded = {case: numbers[one] for one in numbers for case in (one.lower(), one.upper())} | numbers
        unknown = sorted({character for text in texts for character in text if character not in folded})
        if unknown:
            raise UserError(f"{''.join(unknown)!r} cannot be written: {type(self).__name__} knows {self.alphabet!r}")
        rows = [torch.tensor([folded[character] for character in text]) for text in texts]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True).to(self.device)

    @torch.no_grad()
    def write(
        self, texts: Sequence[str], generator: torch.Generator | None = None, bias: float | None = None
    ) -> Tensor:
        """Write a line for each of ``texts``: ``(B, T, 3)`` of offsets and pens, (0, 0, -1) behind a shorter one.

        Args:
            texts: what is written; a letter stands for the one of the other case where the alphabet has only that.
            generator: of the draws.
            bias: how neatly; None for that of the module.

        Raises:
            UserError: for no text, and for a character that is not in the alphabet.
        """
        return self.draw(self.encode_texts(texts), self.length, generator, bias)

    @override
    @torch.no_grad()
    def sample_strokes(
        self,
        n: int,
        generator: torch.Generator | None = None,
        bias: float | None = None,
        length: int | None = None,
    ) -> Tensor:
        """Write ``n`` lines of five characters at random; otherwise as ``write``, of ``length`` points at most."""
        check_at_least_one(n=n, length=length)
        shape, device = (n, AT_RANDOM), sampling_device(generator, self.device)
        text = torch.randint(1, len(self.alphabet) + 1, shape, generator=generator, device=device).to(self.device)
        return self.draw(text, self.length if length is None else length, generator, bias)

    @override
    def has_ended(self, state: State, point: Tensor) -> Tensor:
        # A window that is ahead must not break off the last stroke.
        assert state.window is not None
        return state.window.passed & (point[:, 2] > 0.5)
