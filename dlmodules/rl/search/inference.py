"""Asking a network of policy and value what it thinks of positions."""

import copy
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from dlmodules.protocols.games import Boards, Floats, Game

Precision = Literal["float32", "bfloat16"]


class Inference:
    """The network as it is now, in a form that is fast to ask.

    Args:
        network: maps planes ``(B, C, H, W)`` to logits ``(B, A)`` and values ``(B,)``. One with ``fused``, which
            returns a copy without batch norms, is asked by that; any other is copied, in evaluation mode.
        device: where it is.
        precision: ``bfloat16`` is nearly twice as fast on processors that have instructions for it, and on a GPU; it
            knows three digits.
    """

    def __init__(self, network: nn.Module, device: torch.device, precision: Precision = "float32") -> None:
        self.device, self.dtype = device, getattr(torch, precision)
        fuse: Any = getattr(network, "fused", None)
        asked: Any = copy.deepcopy(network).eval() if fuse is None else fuse()
        self.network: nn.Module = asked.to(device=device, dtype=self.dtype, memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self, game: Game, boards: Boards) -> tuple[Floats, Floats]:
        """Return the probabilities ``(N, A)`` of the legal actions, 0 for others, and the values ``(N,)``."""
        planes = torch.from_numpy(game.planes(boards)).to(self.device, self.dtype)
        logits, value = self.network(planes.contiguous(memory_format=torch.channels_last))
        scores = np.where(game.legal(boards), logits.float().cpu().numpy(), np.float32(-np.inf))
        weights = np.exp(scores - scores.max(1, keepdims=True))
        prior: Floats = weights / weights.sum(1, keepdims=True)
        return prior, value.float().cpu().numpy()


class Memory:
    """Asks the network once for each position, however many games and searches come to it.

    The search for a move looks again at much of what the search for the move before has seen, and games that begin
    alike have much in common: in Connect Four half of all positions are found here. It is of use as long as the network
    stays as it is.

    Args:
        inference: asks the network.
        game: the rules.
        room: answers that are kept at first; it grows.
    """

    def __init__(self, inference: Inference, game: Game, room: int = 1 << 14) -> None:
        self.inference, self.game = inference, game
        self._place: dict[tuple[int, int], int] = {}
        self._prior = np.zeros((room, game.num_actions), np.float32)
        self._value = np.zeros(room, np.float32)
        self.asked = 0
        """For how many positions an answer was wanted."""

    @property
    def computed(self) -> int:
        """For how many of them the network was asked."""
        return len(self._place)

    def __call__(self, boards: Boards) -> tuple[Floats, Floats]:
        """Return the probabilities ``(N, A)`` of the legal actions, 0 for others, and the values ``(N,)``."""
        known = len(self._place)
        places: list[int] = []
        new: list[int] = []
        for row, key in enumerate(zip(boards.own.tolist(), boards.other.tolist(), strict=True)):
            at = self._place.get(key)
            if at is None:
                at = self._place[key] = known + len(new)
                new.append(row)
            places.append(at)
        if new:
            while known + len(new) > len(self._value):
                self._prior = np.concatenate((self._prior, np.zeros_like(self._prior)))
                self._value = np.concatenate((self._value, np.zeros_like(self._value)))
            added = slice(known, known + len(new))
            self._prior[added], self._value[added] = self.inference(self.game, boards.at(new))
        self.asked += len(places)
        return self._prior[places], self._value[places]
