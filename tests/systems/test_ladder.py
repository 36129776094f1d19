"""What every public system must stand, from its configurations alone."""

import inspect
import warnings

import numpy as np
import pytest
import safetensors.torch
import torch
from jsonargparse import ArgumentParser
from torch import nn

from dlmodules.checkpoints.loading import load_module
from dlmodules.protocols import Acts, SamplesImages, SamplesRows
from dlmodules_cli.main import main
from dlmodules_cli.systems import book_ids, systems
from tests.systems.cases import AGENT, Case, every_config, every_system
from tests.systems.gradient_verification import assert_no_gradient_across_samples, assert_tokens_stay_apart


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


def agent(case: Case) -> list[str]:
    return AGENT if case.is_agent else []


def test_every_public_system_is_documented_and_configured():
    for system in systems():
        assert system.paper, f"{system.name}: its docstring has no line 'Paper: ...'"
        assert all(system.books), f"{system.name}: its docstring has no line 'Books: ...'"
        assert system.configs, f"{system.name} has no configuration"


@every_config
def test_config_names_ids_of_its_system(case):
    ids = book_ids(case.config)
    system = next(system for system in systems() if system.name == case.name)
    assert ids in system.books


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


@every_config
def test_config_trains_two_steps_and_samples_without_a_config(case, tmp_path):
    folder = case.fit(tmp_path, "--trainer.max_steps", "2", *agent(case))
    saved = checkpoint(folder)
    assert saved["global_step"] == 2
    assert (folder / "config.yaml").is_file()
    weights = safetensors.torch.save(saved["state_dict"])
    assert same(safetensors.torch.load(weights), saved["state_dict"])
    path = folder / "checkpoints" / "last.ckpt"
    module = load_module(path, saved)
    assert type(module) is case.module
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


@every_system
def test_same_seed_same_weights_other_seed_others(case, tmp_path):
    # What counts its rows draws nothing itself: their order is all that a seed can change.
    which = "--seed_everything" if case.draws else "--data.seed"
    folders = [
        case.fit(tmp_path / str(run), "--trainer.max_steps", "3", which, seed, *agent(case))
        for run, seed in enumerate(("1", "1", "2"))
    ]
    first, again, other = (checkpoint(folder)["state_dict"] for folder in folders)
    assert same(first, again)
    assert not same(first, other)


@every_system
@pytest.mark.parametrize("where", ["inside an epoch", "at an epoch's end"])
def test_resuming_continues_to_the_same_weights(case, tmp_path, where):
    batches = "6"
    first = ["--trainer.max_steps", "9"] if where == "inside an epoch" else ["--trainer.max_epochs", "1"]
    short = ["--trainer.limit_train_batches", batches, *agent(case)]
    unbroken = case.fit(tmp_path / "unbroken", *short, "--trainer.max_epochs", "3", "--trainer.max_steps", "-1")
    case.fit(tmp_path / "broken", *short, "--trainer.max_epochs", "3", "--trainer.max_steps", "-1", *first)
    resumed = case.fit(
        tmp_path / "broken",
        *short,
        "--trainer.max_epochs",
        "3",
        "--trainer.max_steps",
        "-1",
        "--ckpt_path",
        "last",
    )
    assert resumed.name == "version_0"  # it goes on in its own folder
    expected, found = checkpoint(unbroken), checkpoint(resumed)
    assert expected["global_step"] == found["global_step"] == 18
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "random_states"):
        assert same(expected[part], found[part]), part
    extra = [key for key in expected if key in ("agent", "EnvironmentDataModule")]
    assert all(same(expected[key], found[key]) for key in extra)
    assert bool(extra) == case.is_agent


@every_system
def test_no_gradient_flows_across_samples(case, tmp_path):
    """Each network that the system trains keeps the samples of a batch apart."""
    if not case.is_network:
        pytest.skip("no network, no gradient")
    module = case.module().eval()
    networks = {
        name: child for name, child in module.named_children() if any(p.requires_grad for p in child.parameters())
    }
    assert networks
    seen: dict[str, tuple[torch.Tensor, ...]] = {}

    def remember(network, args):
        name = next(name for name, child in networks.items() if child is network)
        seen.setdefault(name, tuple(argument.detach() for argument in args))

    hooks = [child.register_forward_pre_hook(remember) for child in networks.values()]
    _use(module)
    for hook in hooks:
        hook.remove()
    for name, child in networks.items():
        assert name in seen, f"{case.name}.{name} was not used"
        example = tuple(argument[:3].clone() for argument in seen[name])
        if example[0].is_floating_point():
            assert_no_gradient_across_samples(child, example)
        else:
            assert_tokens_stay_apart(child, example[0])


def _use(module: nn.Module) -> None:
    """Call each network of a module once, through what the module is for."""
    if module.example_input_array is not None:  # Lightning's own place for an input that is no image
        module(module.example_input_array)
    elif hasattr(module, "image_shape") or hasattr(module, "input_shape"):
        x = torch.rand(4, *(getattr(module, "image_shape", None) or module.input_shape))
        if hasattr(module, "discriminator"):
            module.discriminate(module.prepare_real((x, torch.arange(4))))
            module.sample(4)
            return
        given = (x, torch.arange(4)) if getattr(module, "conditional", False) else (x,)
        if hasattr(module, "reconstruct"):
            module.reconstruct(*given)
        if not hasattr(module, "corrupt"):  # its forward takes damaged images
            module(*given)
    else:
        module.act(torch.randn(4, module.hparams["observation_dim"]))


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
