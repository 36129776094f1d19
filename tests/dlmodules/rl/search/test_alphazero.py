"""AlphaZero: what it learns from, by hand; that a run is made by its seed; that it goes on inside a game."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from callbacks import AtomicCheckpointIO
from datamodules import EnvironmentDataModule, SelfPlayDataModule
from datamodules.games import ConnectFour, TicTacToe
from dlmodules import DQN, AlphaZero
from dlmodules.checkpoints import replay_file
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, Analyses, Boards, Player, PlaysGames
from dlmodules.protocols.self_play import Positions
from dlmodules.rl.search.arena import every_line
from dlmodules.rl.search.inference import Inference, Memory
from dlmodules.rl.search.learning import examples_of, policy_loss, turned, value_target
from dlmodules.rl.search.networks import PolicyValueNetwork
from tests.dlmodules.rl.agent_runs import agent, trainer
from tests.dlmodules.rl.search.positions import at_random
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything


def learner(seed: int = 0, cls: Any = AlphaZero, **arguments: Any) -> Any:
    return agent(seed, cls, **{**AlphaZero.small_arguments, "simulations": 8, **arguments})


def games(**arguments: Any) -> SelfPlayDataModule:
    small = {**SelfPlayDataModule.small_arguments, "total_steps": 400, "steps_per_epoch": 128, "replay_capacity": 60}
    return SelfPlayDataModule(**{**small, **arguments})


def positions() -> Positions:
    boards = Boards(np.array([1, 2], np.uint64), np.array([2, 5], np.uint64), np.array([2, 3]))
    policy = np.zeros((2, 9), np.float32)
    policy[0, [2, 3]], policy[1, 8] = 0.5, 1.0
    return Positions(boards, policy, np.array([0.2, -0.4], np.float32), np.array([1.0, 0.0], np.float32))


class ByHand(nn.Module):
    """Says what is written here of two positions."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and values of the positions of ``positions()``."""
        own = planes[:, 0].flatten(1).nonzero().tolist()
        assert own == [[0, 0], [1, 1]]
        logits = torch.zeros(2, 9)
        logits[0, 2], logits[0, 0] = 1.0, 50.0  # square 0 is taken: its logit means nothing
        return logits + self.weight, torch.tensor([0.5, -0.1])


def test_losses_by_hand() -> None:
    module, data = learner(network=ByHand(), symmetries=False, search_fraction=0.25), games()
    trainer(limit_train_batches=0, limit_val_batches=0).fit(module, data)
    of_policy, of_value = module.losses(positions())
    # First: seven squares are free, log of the sum of weights is log(e + 6). Second: six are free, alike.
    first = -0.5 * (1 - np.log(np.e + 6)) + 0.5 * np.log(np.e + 6)
    assert of_policy.item() == pytest.approx((first + np.log(6)) / 2, rel=1e-5)
    # Targets: 3/4 of the outcome and 1/4 of the search's value; a draw counts as 0.
    assert value_target(positions(), 0.25).tolist() == pytest.approx([0.8, -0.1])
    assert of_value.item() == pytest.approx((0.3**2 + 0.0**2) / 2, rel=1e-4)


def test_what_is_not_legal_has_no_gradient() -> None:
    logits = torch.randn(3, 5, requires_grad=True)
    legal = torch.tensor([[True, True, False, False, False]]).repeat(3, 1)
    target = torch.tensor([[0.25, 0.75, 0.0, 0.0, 0.0]]).repeat(3, 1)
    policy_loss(logits, legal, target).backward()  # type: ignore[no-untyped-call]  # torch's has no types
    assert logits.grad is not None
    assert not logits.grad[:, 2:].any()
    expected = (logits[:, :2].softmax(1) - target[:, :2]) / 3
    torch.testing.assert_close(logits.grad[:, :2], expected)


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour()])
def test_turned_examples_are_those_of_turned_positions(game: Any) -> None:
    boards = at_random(3, seed=0) if isinstance(game, ConnectFour) else game.play(game.start(4), np.array([0, 1, 4, 5]))
    rng = np.random.default_rng(0)
    n = len(boards.ply)
    policy = rng.dirichlet(np.ones(game.num_actions), n).astype(np.float32)
    before = examples_of(game, Positions(boards, policy, np.zeros(n, np.float32), np.zeros(n, np.float32)))
    which = rng.integers(len(game.symmetries), size=n)
    after = turned(game, before, which)
    for row in range(n):
        symmetry = game.symmetries[which[row]]
        flat = before.planes[row].reshape(2, -1)[:, symmetry.squares]
        assert np.array_equal(after.planes[row].reshape(2, -1), flat)
        assert np.array_equal(after.legal[row], before.legal[row][symmetry.actions])
        assert np.array_equal(after.policy[row], policy[row][symmetry.actions])


def test_the_default_network() -> None:
    """32 maps and two blocks: 5 convolutions of 3 x 3, two heads of 8 maps."""
    network = AlphaZero().network
    convolutions = 2 * 32 * 9 + 4 * 32 * 32 * 9 + 32 * 16
    norms = 2 * (5 * 32 + 16)
    heads = (8 * 9 + 1) * 9 + (8 * 9 + 1) * 64 + 65
    assert sum(p.numel() for p in network.parameters()) == convolutions + norms + heads
    planes = torch.rand(5, 2, 3, 3)
    logits, value = network(planes)
    assert logits.shape == (5, 9)
    assert value.shape == (5,)
    assert value.abs().max() <= 1


def test_a_fused_network_gives_the_same_answers() -> None:
    torch.manual_seed(0)
    network = PolicyValueNetwork((6, 7), 2, 7, 16, 2)
    for _ in range(5):
        network(torch.randn(64, 2, 6, 7))  # the means and variances of its batch norms
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    planes = torch.rand(8, 2, 6, 7)
    for found, expected in zip(network.fused()(planes), network.eval()(planes), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())


def test_positions_are_asked_for_once() -> None:
    torch.manual_seed(0)
    game, boards = ConnectFour(), at_random(10, seed=1)
    inference = Inference(PolicyValueNetwork((6, 7), 2, 7, 8, 1), torch.device("cpu"))
    memory = Memory(inference, game, room=16)
    expected_prior, expected_value = inference(game, boards)
    assert not expected_prior[~game.legal(boards)].any()
    np.testing.assert_allclose(expected_prior.sum(1), 1, rtol=1e-5)
    for _ in range(2):
        prior, value = memory(boards)
        np.testing.assert_allclose(prior, expected_prior, atol=1e-6)
        np.testing.assert_allclose(value, expected_value, atol=1e-6)
    twice = memory(boards.at([3, 3, 5]))[1]
    np.testing.assert_allclose(twice, expected_value[[3, 3, 5]], atol=1e-6)
    assert memory.asked == 2 * len(boards.ply) + 3
    assert memory.computed == len({(int(own), int(other)) for own, other in zip(boards.own, boards.other, strict=True)})


class Fixed(nn.Module):
    """Thinks all positions even, and of the moves the same everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.linspace(0, 3, 9))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same logits for each position."""
        return self.logits.expand(len(planes), 9), self.logits[:1].expand(len(planes)) * 0


def test_noise_reaches_moves_and_hardly_the_targets() -> None:
    module = learner(
        network=Fixed(), noise_fraction=0.4, noise_concentration=10.0, simulations=100, fast_simulations=100
    )
    data = games()
    trainer(limit_train_batches=0, limit_val_batches=0).fit(module, data)
    boards = TicTacToe().start(300)
    memory = Memory(module.inference(), data.game)
    plain = module.decide(boards, memory, False, np.random.default_rng(0))
    pruned = module.decide(boards, memory, True, np.random.default_rng(0))
    module.prune_targets = False
    noisy = module.decide(boards, memory, True, np.random.default_rng(0))
    away = [np.abs(decision.policy - plain.policy).sum(1).mean() for decision in (pruned, noisy)]
    assert away[1] > 0.2
    assert away[0] < 0.6 * away[1]
    counts = [np.bincount(decision.action, minlength=9)[:3].sum() for decision in (plain, pruned)]
    assert counts[1] > 2 * counts[0]  # moves that the network thinks little of are played


def test_it_is_a_player_and_an_agent() -> None:
    module = learner()
    assert isinstance(module, Acts)
    assert isinstance(module, PlaysGames)
    game, boards = TicTacToe(), TicTacToe().play(TicTacToe().start(9), np.arange(9))
    for simulations in (0, 20):
        player = module.player(simulations)
        assert isinstance(player, Player)
        assert isinstance(player, Analyses)
        assert player.name == f"alphazero:{simulations}"
        action = player.choose(game, boards)
        assert game.legal(boards)[np.arange(9), action].all()
        assert np.array_equal(action, player.choose(game, boards))
        analysis = player.analyse(game, boards)
        np.testing.assert_allclose(analysis.policy.sum(1), 1, rtol=1e-5)
        assert [line[0] for line in analysis.lines] == action.tolist()
    observation = np.concatenate((game.planes(boards).reshape(9, -1), game.legal(boards)), 1).astype(np.float32)
    assert np.array_equal(
        module.eval().act(torch.from_numpy(observation)).numpy(), module.player(0).choose(game, boards)
    )


def weights(seed: int, **arguments: Any) -> list[Tensor]:
    module = learner(seed, **arguments)
    trainer(limit_val_batches=0).fit(module, games())
    return list(module.state_dict().values())


def test_a_run_is_made_by_its_seed() -> None:
    first, again, other = weights(0), weights(0), weights(1)
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, other))


@pytest.mark.parametrize("large", [False, True], ids=["in the checkpoint", "beside it"])
def test_resuming_inside_a_game_continues_the_unbroken_run(
    large: bool, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replay of 60 positions has come round by then."""
    if large:
        monkeypatch.setattr(replay_file, "LARGE", 1)
    options = {"full_fraction": 0.75, "fast_simulations": 3}
    paths = {step: tmp_path / f"{step}.ckpt" for step in (1, 7, 9)}
    saves: Sequence[Any] = [SaveAt(path, step, "train_batch") for step, path in paths.items()]
    unbroken = trainer(callbacks=saves, plugins=[AtomicCheckpointIO()])
    module, data = learner(**options), games(opening_plies=2)
    unbroken.fit(module, data)
    assert data.train_envs._kept.any()  # games are running at the end, too
    for path in (paths[9], paths[1]):
        resumed, new_module, new_data = (
            trainer(plugins=[AtomicCheckpointIO()]),
            learner(5, **options),
            games(opening_plies=2),
        )
        resumed.fit(new_module, new_data, ckpt_path=path, weights_only=True)
        assert_same(everything(unbroken, module, data), everything(resumed, new_module, new_data))
        assert_same(data.positions.state_dict(), new_data.positions.state_dict())
    assert module.env_steps == 400
    assert len(data.positions) == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"simulations": 0}, "simulations is 0"),
        ({"full_fraction": 1.5}, "full_fraction is 1.5"),
        ({"board_shape": (3,)}, "board_shape is"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AlphaZero(**arguments)


def test_network_game_and_data_must_fit() -> None:
    with pytest.raises(UserError, match=r"not one for connect_four: set board_shape=\(6, 7\), num_actions=7"):
        trainer().fit(learner(), games(game="connect_four"))
    with pytest.raises(UserError, match="AlphaZero learns by playing against itself: give it a SelfPlayDataModule"):
        trainer().fit(learner(), EnvironmentDataModule())
    with pytest.raises(UserError, match="AlphaZero"):
        trainer().fit(agent(cls=DQN), games())


@pytest.mark.learning
def test_the_policy_learns_tic_tac_toe() -> None:
    """Without search it hardly ever loses against all that an opponent may do; at first it loses every third game."""
    module = learner(channels=16, simulations=24, steps_per_iteration=512, updates_per_iteration=16, batch_size=128)
    data = games(num_games=64, total_steps=10_240, replay_capacity=8_000)
    trainer(limit_val_batches=0).fit(module, data)
    match = every_line(TicTacToe(), module.player(0))
    assert match.losses <= 0.04 * match.games
