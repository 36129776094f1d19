"""``sample`` for agents: played and filmed episodes."""

from dlmodules_cli.episodes import play
from dlmodules_cli.sampling.request import Request


def write_episodes(request: Request) -> None:
    """Write a GIF of each episode, and ``samples.npz`` with the returns ``samples (n,)``."""
    play(request.module, request.checkpoint, request.output, request.count, request.seed)
