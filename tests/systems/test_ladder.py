"""What every public system must stand, from its configurations alone."""

import inspect
import shutil
import warnings
from functools import partial

import numpy as np
import pytest
import safetensors.torch
import torch
from jsonargparse import ArgumentParser

from dlmodules.checkpoints.loading import load_module
from dlmodules.protocols import Acts, ActsWithMemory, GivesExamples, SamplesImages, SamplesRows
from dlmodules_cli import episodes
from dlmodules_cli.main import main
from dlmodules_cli.systems import book_ids, systems
from tests.systems.cases import Case, every_config, every_system, small_arguments
from tests.systems.gradient_verification import assert_no_gradient_across_samples, assert_tokens_stay_apart

pytestmark = pytest.mark.usefixtures("imported")


def checkpoint(folder, name="last"):
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def same(a, b):
    """Whether two nested structures of tensors and plain values are equal to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def own_parts(case: Case, saved: dict) -> list[str]:
    """The parts of a checkpoint that the agent or the data module adds to Lightning's."""
    return [part for part in ("agent", case.small_data.__name__) if part in saved]


THREE_EPOCHS = ["--trainer.limit_train_batches", "6", "--trainer.max_epochs", "3", "--trainer.max_steps", "-1"]
THREE_STEPS = [*THREE_EPOCHS, "--trainer.max_steps", "3"]


@pytest.fixture(scope="session")
def shared_fit(tmp_path_factory):
    """Fit a case once for all the tests that ask for the same run; they only read what it leaves."""
    done = {}

    def fit(case, *more):
        if (case, more) not in done:
            done[case, more] = case.fit(tmp_path_factory.mktemp("shared"), *more)
        return done[case, more]

    return fit


def test_every_public_system_is_documented_and_configured():
    for system in systems():
        assert system.paper, f"{system.name}: its docstring has no line 'Paper: ...'"
        assert all(system.books), f"{system.name}: its docstring has no line 'Books: ...'"
        assert system.configs, f"{system.name} has no configuration"


@every_config
def test_config_names_ids_of_its_system(case):
    system = next(system for system in systems() if system.name == case.name)
    assert book_ids(case.config) in system.books


@every_system
def test_builds_bare(case):
    module = case.module()
    # Parameters, or what is learned without gradients: a table, the rows of an estimator.
    assert sum(tensor.numel() for tensor in module.state_dict().values()) > 0


@every_system
def test_arguments_are_documented_and_typed(case):
    """As the command line resolves them: with those that a variant hands to its parents by ``**kwargs``."""
    parser = ArgumentParser()
    resolved = set(parser.add_class_arguments(case.module))
    helps = {action.dest: action.help for action in parser._actions}
    for name in resolved:
        assert helps[name], f"{case.name}: {name} is not in the docstring"
    for cls in case.module.__mro__:
        if not cls.__module__.startswith("dlmodules."):
            continue
        for name, parameter in inspect.signature(cls).parameters.items():
            assert parameter.annotation is not parameter.empty, f"{cls.__name__}: {name} has no type"
            if name not in resolved and parameter.kind is not parameter.VAR_KEYWORD:
                # What the command line does not show, nobody can give: it is not lost on the way, but fixed.
                with pytest.raises(TypeError, match=r"multiple values|unexpected keyword"):
                    case.module(**{name: parameter.default})


@every_system
def test_defaults_can_be_written_into_a_configuration(case):
    """As a run's config.yaml and its checkpoints hold them; a default that cannot be written only warns."""
    parser = ArgumentParser()
    parser.add_class_arguments(case.module, "model")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"\s*Unable to serialize")
        parser.dump(parser.get_defaults())


@pytest.fixture
def short_films(monkeypatch):
    """What ends the films of episodes after 50 steps: to render all of a long one teaches no more."""
    monkeypatch.setattr(episodes, "film", partial(episodes.film, max_steps=50))


def acted(agent, observation):
    """Return the actions of an agent, at the beginning of episodes where it remembers."""
    if isinstance(agent, ActsWithMemory):
        return agent.act(observation, agent.initial_state(len(observation)))[0]
    return agent.act(observation)


@every_config
def test_config_trains_and_samples_without_a_config(case, tmp_path, shared_fit, short_films):
    folder = shared_fit(case, *THREE_STEPS)
    saved = checkpoint(folder)
    assert saved["global_step"] == 3
    assert (folder / "config.yaml").is_file()
    weights = safetensors.torch.save(saved["state_dict"])
    assert same(safetensors.torch.load(weights), saved["state_dict"])
    path = folder / "checkpoints" / "last.ckpt"
    module = load_module(path, saved)
    assert type(module) is case.module
    assert isinstance(module, GivesExamples)
    example = module.example_batch(5)
    found = acted(module, example) if isinstance(module, Acts) else module.eval().predict_step(example, 0)
    # A picture of one content is one, whatever was asked for.
    assert len(found) == len(example[0] if isinstance(example, tuple) else example)
    if isinstance(module, SamplesImages):
        main(["sample", "--ckpt_path", str(path), "--output", str(tmp_path / "out"), "--num", "5"])
        samples = np.load(tmp_path / "out" / "samples.npz")["samples"]
        assert samples.shape[0] == 5
        assert 0.0 <= samples.min() <= samples.max() <= 1.0
        assert (tmp_path / "out" / "samples.png").is_file()
    elif isinstance(module, SamplesRows):
        main(["sample", "--ckpt_path", str(path), "--output", str(tmp_path / "out"), "--num", "5"])
        assert len(np.load(tmp_path / "out" / "samples.npz")["samples"]) == 5
    elif isinstance(module, Acts):
        main(["sample", "--ckpt_path", str(path), "--output", str(tmp_path / "out"), "--num", "1"])
        assert list((tmp_path / "out").glob("episode*.gif"))


@every_config
def test_small_data_is_such_as_the_module_takes(case, shared_fit):
    path = shared_fit(case, *THREE_STEPS) / "checkpoints" / "last.ckpt"
    module, data = load_module(path, torch.load(path, weights_only=True)), case.data.small(**case.sizes)
    assert type(data) is case.small_data
    if case.is_agent:
        if isinstance(module, ActsWithMemory):  # what it is shown a world model makes into what it acts by
            return
        own = case.data(**case.settings["data"].get("init_args", {}))
        assert module.example_batch(2).shape == (2, *own.observation_space.shape)
        return
    for given, example in zip(next(iter(data.train_dataloader())), module.example_batch(2), strict=True):
        assert given.dtype == example.dtype
        # Integers may be texts, and rows of rows strokes of a pen, both of any length.
        assert given.ndim == example.ndim
        fixed = given.shape[2:] if given.ndim == 3 else given.shape[1:]
        assert not given.is_floating_point() or fixed == example.shape[example.ndim - len(fixed) :]


@every_system
def test_same_seed_same_weights_other_seed_others(case, tmp_path, shared_fit):
    # What counts its rows draws nothing itself: their order is all that a seed can change.
    other_seed = ["--seed_everything" if case.draws else "--data.seed", "1"]
    first = checkpoint(shared_fit(case, *THREE_STEPS))["state_dict"]
    again = checkpoint(case.fit(tmp_path / "again", *THREE_STEPS))["state_dict"]
    other = checkpoint(case.fit(tmp_path / "other", *THREE_STEPS, *other_seed))["state_dict"]
    assert same(first, again)
    assert same(first, other) == case.plans


@every_system
def test_resuming_continues_to_the_same_weights(case, tmp_path, shared_fit):
    """A run that is broken off twice, inside an epoch and at an epoch's end, ends as the unbroken one does."""
    unbroken = shared_fit(case, *THREE_EPOCHS)
    # It goes on in its own folder, so it gets a copy of the shared one.
    begun = shutil.copytree(shared_fit(case, *THREE_STEPS), tmp_path / case.config.stem / "version_0")
    assert checkpoint(begun)["global_step"] == 3
    resumed = case.fit(tmp_path, *THREE_EPOCHS, "--trainer.max_epochs", "2", "--ckpt_path", "last")
    assert resumed == begun
    assert checkpoint(resumed)["global_step"] == 12
    resumed = case.fit(tmp_path, *THREE_EPOCHS, "--ckpt_path", "last")
    assert resumed.name == "version_0"
    expected, found = checkpoint(unbroken), checkpoint(resumed)
    assert expected["global_step"] == found["global_step"] == 18
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "random_states"):
        assert same(expected[part], found[part]), part
    own = own_parts(case, expected)
    assert all(same(expected[part], found[part]) for part in own)
    assert ("agent" in own) == case.is_agent
    assert not case.is_agent or case.small_data.__name__ in own


@every_system
def test_no_gradient_flows_across_samples(case, tmp_path):
    """Each network that the system trains keeps the samples of a batch apart."""
    if not case.is_network:
        pytest.skip("no network, no gradient")
    module = case.module(**small_arguments(case.module)).eval()
    networks = {
        name: child for name, child in module.named_children() if any(p.requires_grad for p in child.parameters())
    }
    if not networks:
        pytest.skip("no network, no gradient")  # its parameters are a picture
    seen: dict[str, tuple[torch.Tensor, ...]] = {}

    def remember(network, args):
        name = next(name for name, child in networks.items() if child is network)
        seen.setdefault(name, tuple(argument.detach() for argument in args))

    hooks = [child.register_forward_pre_hook(remember) for child in networks.values()]
    example = module.example_batch(4)
    if isinstance(module, Acts):
        acted(module, example)
        if not seen:  # what only predicts acts without its network
            module(example)
        if "critic" in networks:  # what acts by a policy learns by it
            module.critic(module.encode(example))
    else:  # what is measured, and what is made, without a trainer that it could be logged to
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You are trying to `self.log\\(\\)`")
            module.validation_step(example, 0)
        module.predict_step(example, 0)
    for hook in hooks:
        hook.remove()
    for name, child in networks.items():
        assert name in seen, f"{case.name}.{name} was not used"
        example = tuple(argument[:3].clone() for argument in seen[name])
        if example[0].is_floating_point():
            assert_no_gradient_across_samples(child, example)
        else:
            assert_tokens_stay_apart(child, *example)


@every_system
def test_loss_falls_on_one_batch(case, tmp_path):
    if case.is_agent:
        pytest.skip("an agent makes its own batches; its learning test stands for this")
    if not case.is_network or not getattr(case.module, "loss_falls", True):
        pytest.skip("it does not descend a loss; its learning test stands for this")
    folder = case.fit(
        *[
            tmp_path,
            "--trainer.overfit_batches",
            "1",
            "--trainer.max_steps",
            "-1",
            "--trainer.max_epochs",
            "25",
        ],
        *["--trainer.log_every_n_steps", "1", "--trainer.check_val_every_n_epoch", "100"],
    )
    rows = np.genfromtxt(folder / "metrics.csv", delimiter=",", names=True, deletechars="")
    name = "train/loss" if "train/loss" in rows.dtype.names else "train/d_loss"
    losses = rows[name][~np.isnan(rows[name])]
    assert np.mean(losses[-3:]) < 0.9 * losses[0]


@every_system
def test_the_ladder_is_quick(case, seconds_of):
    """The last of a system's tests; where it fails, give the system (smaller) ``small_arguments``."""
    assert seconds_of(case) <= 8
