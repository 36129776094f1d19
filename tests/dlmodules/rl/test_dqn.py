from typing import Any

import pytest
import torch
from torch import Tensor, nn

from callbacks.episodes.episode_video import film
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, Transition
from dlmodules.rl.dqn import DQN
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.known_environments import register

register()


class Table(nn.Module):
    """Values that can be read off: those of observation ``[i]`` are row ``i``."""

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.tensor(rows))

    def forward(self, observation: Tensor) -> Tensor:
        return self.rows[observation[:, 0].long()]


def batch(observation: int, action: int, reward: float, next_observation: int, terminated: bool) -> Transition:
    return Transition(
        observation=torch.tensor([[float(observation)]]),
        action=torch.tensor([action]),
        reward=torch.tensor([reward]),
        next_observation=torch.tensor([[float(next_observation)]]),
        terminated=torch.tensor([terminated]),
        truncated=torch.tensor([False]),
    )


def table_dqn(**arguments: Any) -> DQN:
    module = DQN(network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5, **arguments)
    with torch.no_grad():
        module.target_network.rows += 1.0  # the target network's best value of state 1 is 6
    return module


def test_the_online_network_has_the_books_parameters_and_the_target_none_to_train() -> None:
    module = DQN()
    assert sum(p.numel() for p in module.network.parameters()) == 133_378
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == 133_378
    assert [p for group in module.configure_optimizers().param_groups for p in group["params"]] == list(
        module.network.parameters()
    )
    assert all(
        torch.equal(a, b) for a, b in zip(module.network.parameters(), module.target_network.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    ("loss", "terminated", "expected_loss", "expected_gradient"),
    [
        ("mse", False, 9.0, -6.0),  # target 1 + 0.5 * 6 = 4, error 3
        ("mse", True, 0.0, 0.0),  # target 1
        ("huber", False, 2.5, -1.0),  # |error| - 0.5
    ],
)
def test_the_loss_by_hand(loss: Any, terminated: bool, expected_loss: float, expected_gradient: float) -> None:
    module = table_dqn(loss=loss)
    value = module.td_loss(batch(0, 0, 1.0, 1, terminated))
    value.backward()
    assert value.item() == pytest.approx(expected_loss)
    # Only the value of the action that was taken has a gradient; the target is a constant.
    assert module.network.rows.grad.tolist() == [[expected_gradient, 0.0], [0.0, 0.0]]
    assert module.target_network.rows.grad is None


def test_a_variant_overrides_the_value_to_bootstrap_from() -> None:
    class DoubleDQN(DQN):
        def next_value(self, next_observation: Tensor) -> Tensor:
            action = self.network(next_observation).argmax(dim=1, keepdim=True)
            return self.target_network(next_observation).gather(1, action).squeeze(1)

    module = DoubleDQN(network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5)
    with torch.no_grad():
        module.target_network.rows.copy_(torch.tensor([[0.0, 0.0], [9.0, 4.0]]))
    loss = module.td_loss(batch(0, 0, 1.0, 1, False))
    # The online network prefers action 1 in state 1, worth 4 to the target network: target 3, error 2.
    assert loss.item() == pytest.approx(4.0)
    loss.backward()
    assert module.network.rows.grad.tolist() == [[-4.0, 0.0], [0.0, 0.0]]


def test_gradients_are_clipped_to_their_norm() -> None:
    module = agent(max_grad_norm=1e-3, optimizer=lambda p: torch.optim.SGD(p, lr=1.0))
    before = nn.utils.parameters_to_vector(module.network.parameters())
    trainer(max_steps=4).fit(module, data())
    moved = (nn.utils.parameters_to_vector(module.network.parameters()) - before).norm().item()
    assert 2e-3 < moved < 4.001e-3  # four updates of norm 0.001, in much the same direction


def test_a_schedule_goes_one_step_a_round_of_updates() -> None:
    module = agent(
        optimizer=lambda p: torch.optim.SGD(p, lr=0.6),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1)),
    )
    run = trainer(max_steps=5)  # the first three are before learning starts
    run.fit(module, data())
    assert run.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.2)


def test_acting_is_greedy_and_exploring_follows_epsilon() -> None:
    module = table_dqn(epsilon_start=1.0, epsilon_end=0.1, epsilon_steps=1000, epsilon_schedule="linear")
    observation = torch.tensor([[0.0], [1.0]]).repeat(5000, 1)
    assert isinstance(module, Acts)
    assert module.act(observation).unique().tolist() == [1]
    for env_steps, epsilon in ((0, 1.0), (500, 0.55), (2000, 0.1)):
        module.env_steps = env_steps
        assert module.epsilon == pytest.approx(epsilon)
        # A random action is the other one every second time.
        assert (module.explore(observation) == 0).float().mean().item() == pytest.approx(epsilon / 2, abs=0.02)


def test_epsilon_may_wait_before_it_falls() -> None:
    module = DQN(
        epsilon_start=1.0, epsilon_end=0.0, epsilon_steps=15_000, epsilon_schedule="linear", epsilon_delay=5_000
    )
    for env_steps, epsilon in ((0, 1.0), (5_000, 1.0), (8_000, 0.8), (20_000, 0.0), (30_000, 0.0)):
        module.env_steps = env_steps
        assert module.epsilon == pytest.approx(epsilon)


def test_the_labs_epsilon_is_that_of_its_log() -> None:
    """lab L4: 0.995 a step; its log has 0.93691 after 13 and 0.86905 after 28, and 0.01 in the end."""
    module = DQN(epsilon_start=1.0, epsilon_end=0.01, epsilon_steps=919)
    for env_steps, epsilon in ((13, 0.93691), (28, 0.86905), (5_000, 0.01)):
        module.env_steps = env_steps
        assert module.epsilon == pytest.approx(epsilon, rel=1e-3)


def test_rewards_are_learnt_from_at_their_scale_and_kept_as_they_are() -> None:
    # Reward 1 for ever: 1 / (1 - 0.5) = 2 at a scale of 1.
    module = agent(observation_dim=3, gamma=0.5, reward_scale=0.1, target_update_interval=1, updates_per_iteration=40)
    trainer().fit(module, data(env_id="Treadmill-v0"))
    assert module(torch.ones(1, 3))[0].tolist() == pytest.approx([0.2, 0.2], abs=0.02)
    assert module.buffer is not None
    assert set(module.buffer.sample(50).reward.tolist()) == {1.0}
    with pytest.raises(UserError, match="reward_scale"):
        agent(reward_scale=0.0)


def test_the_target_network_follows_every_so_many_updates() -> None:
    copies: list[int] = []

    class Watched(DQN):
        def update(self, batch: Transition) -> Tensor:
            before = next(self.target_network.parameters()).clone()
            loss = super().update(batch)
            assert torch.equal(before, next(self.target_network.parameters())), "the target moved inside an update"
            copies.append(int(torch.equal(before, self.first_target)))
            self.first_target = before
            return loss

    module = agent(cls=Watched, target_update_interval=6, updates_per_iteration=4)
    module.first_target = torch.zeros(0)
    trainer().fit(module, data(total_steps=320))
    # 7 iterations of 4 updates: the first target is new, then it stays for 6 updates at a time.
    assert copies == ([0] + [1] * 5) * 4 + [0, 1, 1, 1]
    assert module.updates == 28


def test_updates_start_with_learning_starts() -> None:
    module = agent(learning_starts=200)
    untrained = [p.clone() for p in module.network.parameters()]
    trainer(max_steps=6).fit(module, data())  # 192 steps
    assert module.updates == 0
    assert all(torch.equal(a, b) for a, b in zip(untrained, module.network.parameters(), strict=True))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    states = []
    for seed in (1, 1, 2):
        module = agent(seed)
        trainer().fit(module, data())
        states.append(module.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["network.layers.0.weight"], states[2]["network.layers.0.weight"])


def test_a_network_of_ones_own() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    modes: list[bool] = []
    network[1].register_forward_hook(lambda layer, *_: modes.append(layer.training))
    module = agent(network=network)
    trainer().fit(module, data(total_steps=160))
    assert module.updates > 0
    assert True in modes, "dropout never worked in training"
    assert False in modes, "dropout disturbed acting"
    assert not any(layer.training for layer in module.target_network.modules())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_actions": 3}, r"values of shape \(3,\), not \(2,\): set num_actions=2"),
        ({"observation_dim": 8}, r"does not take observations of shape \(4,\) \(set observation_dim=4"),
    ],
)
def test_a_network_that_does_not_fit_the_environment(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        trainer().fit(agent(**arguments), data())


def test_continuous_actions_are_refused() -> None:
    with pytest.raises(UserError, match="Pendulum-v1 has actions Box"):
        trainer().fit(agent(observation_dim=3), data(env_id="Pendulum-v1"))


class OneHot(nn.Module):
    """Values of numbered observations: a row of weights for each number."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Embedding(16, 4)

    def forward(self, observation: Tensor) -> Tensor:
        assert observation.dtype == torch.int64
        return self.values(observation)


def test_numbered_observations_reach_a_network_that_embeds_them() -> None:
    module, lake = agent(network=OneHot(), num_actions=4), data(env_id="FrozenLake-v1", total_steps=320)
    run = trainer()
    run.fit(module, lake)
    assert module.updates > 0
    drawn = module.buffer.sample(100)
    assert drawn.observation.shape == drawn.next_observation.shape == drawn.action.shape == (100,)
    assert drawn.observation.dtype == drawn.action.dtype == torch.int64
    assert run.test(module, lake, verbose=False)[0]["test/episode_length"] > 0
    (frames, _, _), *_ = film(module, lake, episodes=1, seed=0, max_steps=3)
    assert len(frames) > 1


def test_numbered_observations_and_a_network_that_takes_none_are_one_clear_line() -> None:
    with pytest.raises(UserError, match=r"observations that are numbers .*FlattenObservation") as caught:
        trainer().fit(agent(num_actions=4), data(env_id="FrozenLake-v1"))
    assert "\n" not in str(caught.value)


def test_the_replay_keeps_what_cut_an_episode() -> None:
    module = agent()
    trainer().fit(module, data(env_kwargs={"max_episode_steps": 5}, total_steps=160))
    drawn = module.buffer.sample(1000)
    assert 0.1 < drawn.truncated.float().mean() < 0.3
    assert not drawn.terminated.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1"),
        ({"buffer_capacity": 10, "batch_size": 64}, "buffer_capacity is 10; it must be at least 64"),
        ({"gamma": 1.5}, r"gamma is 1.5; it must lie in \[0, 1\]"),
        ({"tau": -0.1}, r"tau is -0.1"),
        ({"epsilon_end": 0.0}, "exponential epsilon_schedule never reaches 0"),
        ({"updates_per_iteration": 0}, "updates_per_iteration is 0"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        DQN(**arguments)


KNOWN = {
    "hidden_dims": (32,),
    "optimizer": lambda p: torch.optim.Adam(p, lr=1e-2),
    "batch_size": 64,
    "buffer_capacity": 5000,
    "updates_per_iteration": 16,
    "target_update_interval": 20,
    "epsilon_start": 1.0,
    "epsilon_end": 1.0,
}


@pytest.mark.learning
def test_it_finds_the_known_values_of_a_corridor() -> None:
    module = agent(observation_dim=5, gamma=0.9, **KNOWN)
    trainer().fit(module, data(env_id="KnownCorridor-v0", total_steps=3000, steps_per_epoch=3000))
    # Going right from cell i pays 1 after 4 - i steps; going left comes back to it from one further.
    right = torch.tensor([0.9**3, 0.9**2, 0.9, 1.0])
    left = 0.9 * torch.tensor([0.9**3, 0.9**3, 0.9**2, 0.9])
    values = module(torch.eye(5)[:4]).detach()
    torch.testing.assert_close(values, torch.stack([left, right], dim=1), atol=0.03, rtol=0)


@pytest.mark.learning
def test_a_time_limit_does_not_end_the_value() -> None:
    module = agent(observation_dim=3, gamma=0.9, **{**KNOWN, "target_update_interval": 1, "tau": 0.1})
    trainer().fit(module, data(env_id="Treadmill-v0", total_steps=3000, steps_per_epoch=3000))
    # 1 / (1 - 0.9): if the limit of 10 steps ended it, it were about 5.3.
    assert module(torch.ones(1, 3)).amax().item() == pytest.approx(10.0, abs=0.3)
