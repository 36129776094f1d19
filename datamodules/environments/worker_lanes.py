"""The training environments as lanes for whole episodes, shared by several processes."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from datamodules.environments.lanes import RefilledLanes
from dlmodules.errors import UserError

if TYPE_CHECKING:
    from gymnasium import Env

LOOK_AROUND = 2.0
"""Seconds after which a worker without work looks whether its parent is still there."""


class WorkerLanes(RefilledLanes):
    """Environments of a few processes, each of which steps its share in turn; the actions are found in this one.

    Who acts sees the same observations in the same order as with ``SteppedLanes``, so the number of processes changes
    nothing but the time.

    Args:
        make: makes an environment.
        seed: of the run.
        num_envs: environments, over all processes.
        num_workers: processes, 1 or more; no more than there are environments are begun.
    """

    def __init__(self, make: "Callable[[], Env[Any, Any]]", seed: int, num_envs: int, num_workers: int) -> None:
        from gymnasium.vector.utils import CloudpickleWrapper

        env = make()
        space: Any = env.observation_space
        env.close()
        super().__init__(space, num_envs, seed)
        memory: Any = multiprocessing.RawArray("B", self._seen.nbytes)
        self._seen = np.frombuffer(memory, space.dtype).reshape(self._seen.shape)
        self._pipes: list[Connection] = []
        self._processes = []
        number = min(num_workers, num_envs)
        for worker in range(number):
            ours, theirs = multiprocessing.Pipe()
            given = (theirs, CloudpickleWrapper(make), range(worker, num_envs, number), memory, space, num_envs)
            process = multiprocessing.Process(target=_work, args=given, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    @override
    def _begin(self, begun: Sequence[tuple[int, int]]) -> None:
        self._ask("begin", [lane for lane, _ in begun], [seed for _, seed in begun])

    @override
    def _step(self, lanes: Any, actions: Any) -> tuple[list[float], list[bool]]:
        found = self._ask("step", lanes.tolist(), actions)
        return [reward for reward, _ in found], [ended for _, ended in found]

    def _ask(self, what: str, lanes: Sequence[int], given: Sequence[Any]) -> list[Any]:
        """Let the workers do something in their lanes, all at once, and return what each lane gives, in this order.

        Raises:
            UserError: a worker has died. What an environment raises is raised.
        """
        number = len(self._pipes)
        shares: list[list[int]] = [[] for _ in range(number)]
        for place, lane in enumerate(lanes):
            shares[lane % number].append(place)
        found: list[Any] = [None] * len(lanes)
        asked = [worker for worker in range(number) if shares[worker]]
        try:
            for worker in asked:
                self._pipes[worker].send((what, [(lanes[place], given[place]) for place in shares[worker]]))
            answers = [self._pipes[worker].recv() for worker in asked]
        except (EOFError, ConnectionError) as error:
            raise UserError(
                "a process that steps environments has died, perhaps for want of memory: set a smaller num_workers"
            ) from error
        for worker, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Exception):
                raise answer
            for place, value in zip(shares[worker], answer, strict=True):
                found[place] = value
        return found

    @override
    def close(self) -> None:
        for pipe in self._pipes:
            with contextlib.suppress(ConnectionError):
                pipe.send(None)
        for process in self._processes:
            process.join(LOOK_AROUND)
            process.terminate()
        self._pipes, self._processes = [], []


def _work(
    pipe: Connection,
    make: "Callable[[], Env[Any, Any]]",
    lanes: Sequence[int],
    memory: Any,
    space: Any,
    num_envs: int,
) -> None:
    """Do what is asked for, in one process, until that is nothing or nobody is there to ask."""
    # Ctrl-C is for the parent, who says when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    envs = {lane: make() for lane in lanes}
    seen = np.frombuffer(memory, space.dtype).reshape(num_envs, *space.shape)

    def begin(lane: int, seed: int) -> None:
        seen[lane], _ = envs[lane].reset(seed=seed)

    def step(lane: int, action: Any) -> tuple[float, bool]:
        seen[lane], reward, terminated, truncated, _ = envs[lane].step(action)
        return float(reward), bool(terminated or truncated)

    does: dict[str, Callable[[int, Any], Any]] = {"begin": begin, "step": step}
    while (asked := _next(pipe)) is not None:
        what, given = asked
        try:
            answer: Any = [does[what](lane, value) for lane, value in given]
        except Exception as error:
            answer = error
        pipe.send(answer)
    for env in envs.values():
        env.close()


def _next(pipe: Connection) -> Any:
    """Return what is asked for next; None where the parent wants no more, or is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A sibling holds the other end of the pipe open, so that its end does not tell of the parent's.
    while not pipe.poll(LOOK_AROUND):
        if not parent.is_alive():
            return None
    try:
        return pipe.recv()
    except EOFError:
        return None
