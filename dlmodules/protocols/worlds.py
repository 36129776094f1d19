"""What a model of an environment offers, and what it is trained on."""

from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from dlmodules.protocols.actions import Memory


class LatentSeries(NamedTuple):
    """Episodes, or windows of them, as codes of their frames. Rows are padded to the longest.

    Args:
        mean: ``(B, T + 1, D)``, of the code of what was seen before each action, and after the last.
        log_var: ``(B, T + 1, D)``, their log-variances.
        action: ``(B, T, A)`` float32; an action of a number is one-hot.
        reward: ``(B, T)``, for the action at the same place.
        ended: ``(B, T)`` float32, 1 where the action ended the episode.
        mask: ``(B, T)`` float32, 1 where there is an action.
    """

    mean: Tensor
    log_var: Tensor
    action: Tensor
    reward: Tensor
    ended: Tensor
    mask: Tensor


@runtime_checkable
class Perceives(Protocol):
    """Turns what is seen of running episodes into numbers to act by: of the frame itself, and of those before."""

    latent_dim: int
    hidden_dim: int

    def initial_state(self, n: int) -> Memory:
        """Return what is remembered of ``n`` episodes before they begin, each tensor ``(n, ...)``."""
        ...

    def see(self, observation: Tensor) -> Tensor:
        """Return the codes ``(N, latent_dim)`` of frames ``(N, H, W, C)`` uint8."""
        ...

    def hidden(self, state: Memory) -> Tensor:
        """Return what a state knows of what comes next, ``(N, hidden_dim)``."""
        ...

    def remember(self, z: Tensor, action: Tensor, state: Memory) -> Memory:
        """Return the state after ``action`` ``(N, ...)`` was done where ``z`` ``(N, latent_dim)`` was seen."""
        ...


@runtime_checkable
class Dreams(Perceives, Protocol):
    """Makes up what an environment may do next."""

    action_dim: int
    discrete: bool

    def limits(self) -> Tensor:
        """Return the lowest and the highest value ``(2, action_dim)`` of each number of an action."""
        ...

    def first_codes(self) -> Tensor:
        """Return means and log-variances ``(S, 2, latent_dim)`` of first frames, from which episodes begin."""
        ...

    def dream(
        self, z: Tensor, action: Tensor, state: Memory, temperature: float, draws: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Memory]:
        """Return the next codes ``(N, latent_dim)``, rewards and probabilities of the end ``(N,)``, and the state.

        ``draws`` are uniform numbers in [0, 1) and standard normal ones, each ``(N, latent_dim)``; None draws them.
        """
        ...


@runtime_checkable
class GivesStarts(Protocol):
    """Data of episodes, which knows how they begin and what can be done in them."""

    def start_codes(self) -> tuple[Tensor, Tensor]:
        """Return means and log-variances ``(S, latent_dim)`` of the codes of the training episodes' first frames."""
        ...

    def action_bounds(self) -> tuple[Tensor, Tensor] | None:
        """Return the lowest and highest value ``(A,)`` of each number of an action; None for numbered actions."""
        ...
