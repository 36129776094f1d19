from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError
from dlmodules.rl.tabular.planner import Planner
from dlmodules.rl.tabular.policy_evaluation import PolicyEvaluation
from dlmodules.rl.tabular.policy_iteration import PolicyIteration
from dlmodules.rl.tabular.value_iteration import ValueIteration
from tests.dlmodules.rl.agent_runs import trainer
from tests.dlmodules.rl.tabular.exact import PLANNED, optimal, q_of, uniform, value_of
from tests.dlmodules.rl.tabular.test_planning import BOOK


def data(env_id: str, **arguments: Any) -> EnvironmentDataModule:
    defaults = {"num_envs": 1, "total_steps": 20_000, "steps_per_epoch": 20_000, "eval_episodes": 2}
    return EnvironmentDataModule(env_id, **{**defaults, **arguments})


def planned(cls: type[Planner], source: EnvironmentDataModule, *runs: pl.Trainer, **arguments: Any) -> Planner:
    sizes = {"num_states": source.num_states, "num_actions": source.num_actions}
    module = cls(**{**sizes, **arguments})
    for run in runs or [trainer(limit_val_batches=0)]:
        run.fit(module, source)
    return module


@pytest.mark.parametrize("name", PLANNED)
def test_evaluation_ends_at_the_values_of_the_linear_equations(name: str) -> None:
    env_id, gamma = PLANNED[name]
    source = data(env_id)
    module = planned(PolicyEvaluation, source, gamma=gamma, theta=1e-10)
    expected = value_of(source.transitions, uniform(source.transitions), gamma)
    torch.testing.assert_close(module.state_values(), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(module.action_values(), q_of(source.transitions, expected, gamma), rtol=0, atol=1e-6)
    assert module.has_converged


@pytest.mark.parametrize("cls", [PolicyIteration, ValueIteration])
@pytest.mark.parametrize("name", PLANNED)
def test_iteration_ends_at_the_values_of_the_best_policy(cls: type[Planner], name: str) -> None:
    env_id, gamma = PLANNED[name]
    source = data(env_id)
    module = planned(cls, source, gamma=gamma, theta=1e-9)
    expected = optimal(source.transitions, gamma)
    torch.testing.assert_close(module.state_values(), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(module.action_values(), q_of(source.transitions, expected, gamma), rtol=0, atol=1e-6)
    assert module.has_converged
    assert module.trainer.global_step < source.total_steps


def test_the_books_table_after_114_sweeps() -> None:
    run = trainer(limit_val_batches=0)
    module = planned(PolicyEvaluation, data("dlmodules/GridWorld-v0"), run, gamma=1.0, theta=1e-4)
    assert run.global_step == 114
    assert module.state_values().round().tolist() == BOOK
    assert run.callback_metrics["train/sweep"] == 114
    assert run.callback_metrics["step"] == 114
    assert run.callback_metrics["train/delta"] < 1e-4
    assert run.callback_metrics["train/value"] == pytest.approx(sum(BOOK) / 14, abs=1e-2)


def test_the_policy_to_evaluate_may_be_given() -> None:
    right = [[0, 0, 1, 0]] * 6
    module = planned(PolicyEvaluation, data("dlmodules/QWorld-v0"), gamma=0.9, policy=right)
    assert module.state_values().tolist() == [90, 100, 0, -90, -100, 0]
    assert module.act(torch.arange(6)).tolist()[1:5] == [2, 0, 3, 3]  # the best, if these values are what comes after


def test_iteration_improves_a_policy_until_none_is_better() -> None:
    run = trainer(limit_val_batches=0, log_every_n_steps=1)
    module = planned(PolicyIteration, data("dlmodules/GridWorld-v0"), run, gamma=1.0)
    assert run.callback_metrics["train/improvements"] == module.improvements == 2
    assert module.policy[5].tolist() == [0.5, 0, 0, 0.5]
    assert module.state_values().tolist() == [0, -1, -2, -3, -1, -2, -3, -2, -2, -3, -2, -1, -3, -2, -1, 0]


def test_a_policy_may_be_improved_before_it_is_known() -> None:
    runs = [trainer(limit_val_batches=0) for _ in range(2)]
    source = data("FrozenLake-v1")
    whole, short = (
        planned(PolicyIteration, source, run, gamma=0.99, evaluation_sweeps=sweeps)
        for run, sweeps in zip(runs, (None, 3), strict=True)
    )
    torch.testing.assert_close(short.v, whole.v, rtol=0, atol=1e-6)
    assert runs[1].global_step < runs[0].global_step
    assert short.improvements >= whole.improvements


@pytest.mark.parametrize("cls", [PolicyEvaluation, PolicyIteration, ValueIteration])
def test_planning_takes_no_step_in_an_environment(cls: type[Planner], monkeypatch: pytest.MonkeyPatch) -> None:
    source = data("FrozenLake-v1", total_steps=10)
    monkeypatch.setattr(EnvironmentDataModule, "train_envs", property(lambda self: pytest.fail("stepped")))
    planned(cls, source)


def test_what_is_tested_is_what_the_table_promises() -> None:
    source = data("FrozenLake-v1", steps_per_epoch=100, test_episodes=400)
    module = planned(ValueIteration, source, run := trainer(), gamma=0.99)
    assert 0 <= run.callback_metrics["val/return"] <= 1
    [metrics] = run.test(module, source, verbose=False)
    assert metrics["test/exact_return"] == pytest.approx(0.74016, abs=1e-5)
    assert metrics["test/return"] == pytest.approx(0.74, abs=0.07)  # three standard errors
    assert metrics["step"] == metrics["test/sweeps"] == run.global_step
    assert metrics["test/value"] == pytest.approx(module.v[0].item())


def test_sweeps_end_with_the_budget() -> None:
    run = trainer(limit_val_batches=0)
    module = planned(ValueIteration, data("FrozenLake-v1", total_steps=7), run, theta=0.0)
    assert run.global_step == 7
    assert not module.has_converged


@pytest.mark.parametrize("cls", [PolicyIteration, ValueIteration])
def test_who_has_converged_does_no_more_when_resumed_and_a_new_run_does(cls: type[Planner], tmp_path: Any) -> None:
    source = data("dlmodules/QWorld-v0")
    first = trainer(limit_val_batches=0)
    done = planned(cls, source, first)
    first.save_checkpoint(tmp_path / "done.ckpt")
    resumed, anew = trainer(limit_val_batches=0), trainer(limit_val_batches=0)
    again = cls(6, 4) if cls is ValueIteration else cls(num_states=6, num_actions=4)
    resumed.fit(again, source, ckpt_path=tmp_path / "done.ckpt")
    assert resumed.global_step == first.global_step
    assert torch.equal(again.v, done.v)
    assert again.sweeps == done.sweeps == first.global_step
    anew.fit(done, source)
    assert anew.global_step == 1  # its values are the best already


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (PolicyEvaluation, {"policy": [[1.0, 0, 0, 0]]}, "4 for each of 16 states"),
        (PolicyEvaluation, {"policy": [[0.5, 0, 0, 0]] * 16}, "add up to 1"),
        (PolicyIteration, {"evaluation_sweeps": 0}, "evaluation_sweeps is 0"),
        (ValueIteration, {"theta": -1.0}, "theta is -1.0"),
        (ValueIteration, {"gamma": 1.5}, "gamma is 1.5"),
    ],
)
def test_arguments_are_checked(cls: type[Planner], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        cls(**arguments)


@pytest.mark.parametrize(
    ("env_id", "message"),
    [
        ("Taxi-v4", "the table has 16 states and 4 actions: set num_states=500, num_actions=6"),
        ("Blackjack-v1", "needs numbered ones"),
        ("CartPole-v1", "needs numbered ones"),
        ("Bandit-v0", "has no table P of its transitions"),
    ],
)
def test_an_environment_must_fit_and_have_a_table(env_id: str, message: str) -> None:
    from tests.dlmodules.rl.known_environments import register

    register()
    module = ValueIteration(1, 2) if env_id == "Bandit-v0" else ValueIteration()
    with pytest.raises(UserError, match=message):
        trainer().fit(module, data(env_id))
