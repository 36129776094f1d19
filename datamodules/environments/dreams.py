"""Dreams: the episodes that a world model makes up, as environments to train in."""

from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from typing_extensions import override

from datamodules.environments.registering import NAMESPACE
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.protocols import Dreams, Memory
from dlmodules.validation.arguments import check_at_least_one, check_positive

if TYPE_CHECKING:
    from gymnasium.spaces import Space

DREAM = "dlmodules/Dream-v0"
End = Literal["sampled", "threshold"]


class DreamVectorEnv(VectorEnv[Any, Any, Any]):
    """N dreams of a world model, which makes up the next step of all of them at once.

    What is seen are the code of the frame and what the model remembers, ``(N, latent_dim + hidden_dim)`` float32: there
    are no frames. A dream begins as a training episode did, with a code drawn from that of its first frame; what then
    happens follows from its seed and the actions, and not from the dreams beside it. Its return is what the model
    believes, and no score: whoever trains here is judged in the environment itself.

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.8, foster F8.9.

    Args:
        num_envs: N.
        world: checkpoint of a world model, such as an ``MDNRNN``, or the model.
        temperature: above 0; more makes what happens less certain, so that a weakness of the model is worth less.
        end: a dream ends where the model says so with more than a half (``threshold``), or with that probability
            (``sampled``).
        max_steps: steps after which it is truncated.

    Raises:
        UserError: there is no such model, or a number is out of range.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(
        self,
        num_envs: int = 1,
        world: str | Dreams | None = None,
        temperature: float = 1.0,
        end: End = "sampled",
        max_steps: int = 1_000,
    ) -> None:
        check_at_least_one(num_envs=num_envs, max_steps=max_steps)
        check_positive(temperature=temperature)
        if end not in ("sampled", "threshold"):
            raise UserError(f"end is {end!r}; it must be sampled or threshold")
        self.world = world_of(world)
        self.num_envs, self.temperature, self.end, self.max_steps = num_envs, temperature, end, max_steps
        dim = self.world.latent_dim + self.world.hidden_dim
        self.single_observation_space: Space[Any] = gym.spaces.Box(-np.inf, np.inf, (dim,), np.float32)
        self.single_action_space = _actions_of(self.world)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, num_envs)
        self._draws = [np.random.default_rng(place) for place in range(num_envs)]
        self._steps = np.zeros(num_envs, dtype=np.int64)
        latent = self.world.latent_dim
        self._uniform = torch.zeros(num_envs, max_steps, latent + 1)
        self._normal = torch.zeros(num_envs, max_steps, latent)
        self._z = torch.zeros(num_envs, latent)
        self._state: Memory = self.world.initial_state(num_envs)

    def _begin(self, place: int) -> None:
        """Begin another dream at a place, and draw all that may happen in it."""
        draw = self._draws[place]
        starts = self.world.first_codes()
        mean, log_var = starts[draw.integers(len(starts))]
        noise = torch.from_numpy(draw.standard_normal(len(mean), dtype=np.float32))
        self._z[place] = mean + (0.5 * log_var).exp() * noise
        for name, rows in self.world.initial_state(1).items():
            self._state[name][place] = rows[0]
        self._uniform[place] = torch.from_numpy(draw.random(self._uniform.shape[1:], dtype=np.float32))
        self._normal[place] = torch.from_numpy(draw.standard_normal(self._normal.shape[1:], dtype=np.float32))
        self._steps[place] = 0

    def _seen(self) -> Any:
        return torch.cat([self._z, self.world.hidden(self._state)], dim=1).numpy()

    @override
    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a dream in each place; ``seed`` is one number or one for each place."""
        seeds = (
            [None if seed is None else seed + place for place in range(self.num_envs)] if np.ndim(seed) == 0 else seed
        )
        for place, own in enumerate(seeds):
            if own is not None:
                self._draws[place] = np.random.default_rng(own)
            self._begin(place)
        return self._seen(), {}

    @override
    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        done = torch.from_numpy(np.asarray(actions))
        places = torch.arange(self.num_envs)
        steps = torch.from_numpy(self._steps)
        uniform, normal = self._uniform[places, steps], self._normal[places, steps]
        z, reward, ends, state = self.world.dream(
            self._z, done, self._state, self.temperature, (uniform[:, :-1], normal)
        )
        self._z, self._state = z, dict(state)
        self._steps += 1
        limit = uniform[:, -1] if self.end == "sampled" else torch.full_like(ends, 0.5)
        terminated = (ends > limit).numpy()
        truncated = ~terminated & (self._steps >= self.max_steps)
        seen, info = self._seen(), {}
        over = np.flatnonzero(terminated | truncated)
        if len(over):
            info = {"final_obs": list(seen)}
            for place in over:
                self._begin(int(place))
            seen = self._seen()
        return seen, reward.numpy().astype(np.float64), terminated, truncated, info


class DreamEnv(gym.Env[Any, Any]):
    """One dream, for any agent. See ``DreamVectorEnv``.

    Args:
        **kwargs: of ``DreamVectorEnv``, all but ``num_envs``.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(self, **kwargs: Any) -> None:
        self.dreams = DreamVectorEnv(1, **kwargs)
        self.observation_space = self.dreams.single_observation_space
        self.action_space = self.dreams.single_action_space

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.dreams.reset(seed=None if seed is None else [seed])[0][0], {}

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, info = self.dreams.step(np.asarray(action)[None])
        last = info["final_obs"][0] if info else seen[0]
        return last, float(reward[0]), bool(terminated[0]), bool(truncated[0]), {}


def world_of(given: str | Dreams | None) -> Dreams:
    """Return a world model, or that of a checkpoint. Raises UserError where it is none."""
    if isinstance(given, str):
        # Each process loads it anew, a resumed one as well: its first weights must draw no number of the run.
        with torch.random.fork_rng(devices=[]):
            world: Any = load_module(given)
    else:
        world = given
    if not isinstance(world, Dreams):
        found = "None" if world is None else type(world).__name__
        raise UserError(f"world is {found}: dreams are those of a world model, such as the checkpoint of an MDNRNN")
    return world


def _actions_of(world: Dreams) -> "Space[Any]":
    if world.discrete:
        return gym.spaces.Discrete(world.action_dim)
    low, high = world.limits().numpy()
    return gym.spaces.Box(low, high, dtype=np.float32)


def make_dreams(**kwargs: Any) -> DreamVectorEnv:
    """Return dreams side by side, as Gymnasium asks for them; ``kwargs`` are the arguments of ``DreamVectorEnv``."""
    return DreamVectorEnv(**kwargs)


def register_dreams() -> None:
    """Tell Gymnasium of them, once."""
    if f"{NAMESPACE}Dream-v0" not in gym.registry:
        gym.register(
            DREAM,
            entry_point=DreamEnv,
            vector_entry_point=make_dreams,
            order_enforce=False,
            disable_env_checker=True,
        )
