"""Semi-gradient methods: their steps by hand, and what they learn."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.exploration import Epsilon
from dlmodules.rl.semi_gradient import SemiGradientQLearning, SemiGradientSarsa
from dlmodules.rl.semi_gradient_td import SemiGradientTD
from dlmodules.rl.tile_coding import LinearValues, TileCodedValues
from tests.dlmodules.rl import agent_runs, known_environments

EYE = torch.eye(3)


@pytest.fixture(autouse=True)
def _environments():
    known_environments.register()


def sgd(rate):
    return lambda parameters: torch.optim.SGD(parameters, lr=rate)


def step(state, action, reward, after, terminated=False, truncated=False):
    """Return a step of one environment in a chain of three states, seen as one-hot rows."""
    return Transition(
        observation=EYE[[state]],
        action=torch.tensor([action]),
        reward=torch.tensor([float(reward)]),
        next_observation=EYE[[after]],
        terminated=torch.tensor([terminated]),
        truncated=torch.tensor([truncated]),
    )


def by_hand(agent, table, transition):
    """Return the table ``(3, outputs)`` after one step of descent on the loss of ``transition``."""
    agent.network.weights.weight.data = torch.tensor(table).T.contiguous()
    target = transition.reward + agent.gamma * agent.next_value(transition).detach() * ~transition.terminated
    loss = 0.5 * (target - agent.value(transition)).square().mean()
    (gradient,) = torch.autograd.grad(loss, agent.network.weights.weight)
    return (agent.network.weights.weight - 0.5 * gradient).detach().T.tolist()


def test_q_learning_moves_towards_the_best_next_action():
    agent = SemiGradientQLearning(3, 2, network=LinearValues(3, 2), gamma=0.5)
    table = [[1.0, 2.0], [3.0, 8.0], [0.0, 0.0]]
    # 1 + 0.5 * 8 = 5, half of the way from 1.
    assert by_hand(agent, table, step(0, 0, 1, 1)) == [[3.0, 2.0], [3.0, 8.0], [0.0, 0.0]]
    # A terminal state has no value, one where the time is up has: 1, half of the way from 2.
    assert by_hand(agent, table, step(0, 1, 1, 1, terminated=True))[0] == [1.0, 1.5]
    assert by_hand(agent, table, step(0, 1, 1, 1, truncated=True))[0] == [1.0, 3.5]


def test_sarsa_moves_towards_the_action_that_it_then_does(monkeypatch):
    agent = SemiGradientSarsa(3, 2, network=LinearValues(3, 2), gamma=0.5, exploration=Epsilon(1.0))
    monkeypatch.setattr(SemiGradientQLearning, "explore", lambda self, observation: torch.tensor([0]))
    # 1 + 0.5 * 3 = 2.5, half of the way from 1: not the 8 of the best.
    assert by_hand(agent, [[1.0, 2.0], [3.0, 8.0], [0.0, 0.0]], step(0, 0, 1, 1))[0] == [1.75, 2.0]
    monkeypatch.setattr(SemiGradientQLearning, "explore", lambda self, observation: torch.tensor([1]))
    assert agent.explore(EYE[[1]]).tolist() == [0]
    assert by_hand(agent, [[1.0, 2.0], [3.0, 8.0], [0.0, 0.0]], step(0, 0, 1, 1, truncated=True))[0] == [3.0, 2.0]
    assert agent.explore(EYE[[2]]).tolist() == [1]  # of the next episode


def test_td_moves_towards_the_value_of_the_next_state():
    agent = SemiGradientTD(3, 2, network=LinearValues(3, 1), gamma=0.5)
    assert by_hand(agent, [[1.0], [4.0], [0.0]], step(0, 0, 1, 1)) == [[2.0], [4.0], [0.0]]


def test_an_episode_that_is_cut_has_a_value_that_goes_on():
    # Reward 1 for ever, cut after 10 steps: 1 / (1 - 0.9) = 10, not the 6.5 of ten steps.
    agent = SemiGradientTD(3, 2, network=LinearValues(3, 1), optimizer=sgd(0.1), gamma=0.9)
    agent_runs.trainer().fit(agent, agent_runs.data(env_id="Treadmill-v0", total_steps=3_000))
    assert agent(torch.ones(1, 3)).item() == pytest.approx(10, abs=0.1)


def test_the_corridor_is_learnt_with_features_that_are_a_table():
    agent = SemiGradientQLearning(
        5, 2, network=LinearValues(5, 2), optimizer=sgd(0.8), gamma=0.9, exploration=Epsilon(0.5)
    )
    agent_runs.trainer().fit(agent, agent_runs.data(env_id="KnownCorridor-v0", total_steps=4_000))
    values = agent(torch.eye(5))[:4, 1]
    assert values.tolist() == pytest.approx([0.9**3, 0.9**2, 0.9, 1.0], abs=0.02)
    assert agent.act(torch.eye(5)).tolist()[:4] == [1, 1, 1, 1]


def test_two_observations_share_the_tiles_of_the_grids_in_which_they_lie_together():
    values = TileCodedValues([0.0], [1.0], 2, tilings=4, tiles=10)
    here, near, far = (set(values.tiles_of(torch.tensor([[x]])).flatten().tolist()) for x in (0.5, 0.55, 0.7))
    assert len(here) == 4
    assert 0 < len(here & near) < 4
    assert not here & far
    assert torch.equal(values.tiles_of(torch.tensor([[5.0]])), values.tiles_of(torch.tensor([[9.0]])))
    assert values(torch.rand(7, 1)).shape == (7, 2)


def test_every_tile_of_a_grid_has_a_weight_of_its_own():
    values = TileCodedValues([0.0, 0.0], [1.0, 2.0], 1, tilings=2, tiles=3)
    x, y = torch.meshgrid(torch.linspace(0, 1, 40), torch.linspace(0, 2, 40), indexing="ij")
    tiles = values.tiles_of(torch.stack([x.flatten(), y.flatten()], 1))
    assert int(tiles.max()) < len(values.weights.weight)
    assert set(tiles[:, 0].tolist()).isdisjoint(tiles[:, 1].tolist())
    assert len(tiles[:, 1].unique()) == 16  # three, and one more for the shift, in each direction


def test_a_box_upside_down_and_a_network_that_does_not_fit():
    with pytest.raises(UserError, match="low the smaller"):
        TileCodedValues([1.0], [0.0], 2)
    with pytest.raises(UserError, match=r"does not take observations of shape \(5,\)"):
        agent_runs.trainer().fit(SemiGradientQLearning(4, 2), agent_runs.data(env_id="KnownCorridor-v0"))
    agent = SemiGradientQLearning(5, 2, network=LinearValues(5, 3))
    with pytest.raises(UserError, match=r"gives values of shape \(3,\), not \(2,\)"):
        agent_runs.trainer().fit(agent, agent_runs.data(env_id="KnownCorridor-v0"))


@pytest.mark.learning
def test_sarsa_drives_up_the_mountain():
    torch.manual_seed(0)
    tiles = TileCodedValues([-1.2, -0.07], [0.6, 0.07], 3)
    agent = SemiGradientSarsa(2, 3, network=tiles, optimizer=sgd(0.0625), gamma=1.0, exploration=Epsilon(0.0))
    data = agent_runs.data(
        env_id="MountainCar-v0", num_envs=1, total_steps=15_000, steps_per_epoch=15_000, eval_episodes=20
    )
    trainer = agent_runs.trainer()
    trainer.fit(agent, data)
    assert trainer.callback_metrics["val/return"] > -180  # -200 without a plan
