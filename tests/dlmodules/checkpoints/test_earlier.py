"""Checkpoints that were written before modules moved still load, sample and resume.

``earlier/`` holds what the package wrote at commit 70c03e8: a VAE and an InfoGAN built in Python with their own
networks, an autoencoder and a DQN from the command line, each after 9 of 18 steps, and the weights that the unbroken
run had after 18.
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml

from callbacks import AtomicCheckpointIO, ExactResume
from datamodules import DigitsDataModule
from dlmodules.checkpoints.hparams import class_path
from dlmodules.checkpoints.loading import load_module
from dlmodules.checkpoints.moved import MOVED
from dlmodules.gans import InfoGANGenerator
from dlmodules.vaes import StackEncoder
from dlmodules_cli.configs import all_configs
from dlmodules_cli.main import main
from tests.quiet import quiet_trainer

EARLIER = Path(__file__).parent / "earlier"


def expected(name):
    return safetensors.torch.load_file(EARLIER / f"{name}_resumed.safetensors")


def assert_same_weights(found, name):
    """To rounding, since processors add in different orders; to the bit on the one that wrote them."""
    weights = expected(name)
    assert found.keys() == weights.keys()
    for key, tensor in weights.items():
        torch.testing.assert_close(found[key], tensor, rtol=1e-3, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize(
    ("name", "network", "cls"), [("vae", "encoder", StackEncoder), ("infogan", "generator", InfoGANGenerator)]
)
def test_a_run_made_in_python_loads_and_resumes(name, network, cls, tmp_path):
    path = EARLIER / f"{name}.ckpt"
    module = load_module(path)
    assert type(getattr(module, network)) is cls
    assert type(module).load_from_checkpoint(path, weights_only=True).hparams.keys() == module.hparams.keys()
    torch.set_num_threads(1)
    trainer = quiet_trainer(
        max_epochs=3,
        max_steps=18,
        limit_train_batches=6,
        limit_val_batches=1,
        callbacks=[ExactResume()],
        plugins=[AtomicCheckpointIO()],
    )
    trainer.fit(
        module.train(), datamodule=DigitsDataModule(image_size=8, batch_size=8), ckpt_path=path, weights_only=True
    )
    assert trainer.global_step == 18
    assert_same_weights(module.state_dict(), name)


@pytest.mark.parametrize("name", ["autoencoder", "dqn"])
def test_a_run_of_the_command_line_resumes_by_its_own_configuration(name, tmp_path):
    main([
        *["fit", "--config", str(EARLIER / f"{name}.yaml"), "--ckpt_path", str(EARLIER / f"{name}.ckpt")],
        *["--trainer.max_steps", "18", "--trainer.default_root_dir", str(tmp_path)],
    ])  # fmt: skip
    saved = torch.load(tmp_path / name / "version_0" / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 18
    assert_same_weights(saved["state_dict"], name)


@pytest.mark.parametrize("name", ["vae", "infogan"])
def test_it_samples(name, tmp_path):
    main(["sample", "--ckpt_path", str(EARLIER / f"{name}.ckpt"), "--output", str(tmp_path), "--num", "3"])
    assert np.load(tmp_path / "samples.npz")["samples"].shape == (3, 1, 8, 8)


@pytest.mark.parametrize("earlier", MOVED)
def test_what_moved_is_found_by_its_earlier_path(earlier):
    module, _, name = earlier.rpartition(".")
    now, _, current = MOVED[earlier].rpartition(".")
    cls = getattr(import_module(now), current)
    assert getattr(import_module(module), name) is cls
    assert class_path(cls) == MOVED[earlier]  # what a checkpoint says today, which the next move must find too


def test_nothing_else_is_found_where_modules_were():
    with pytest.raises(AttributeError, match="had no 'Nothing'"):
        import_module("dlmodules.gans.infogan_paper").Nothing  # noqa: B018 - asking is the test
    with pytest.raises(ModuleNotFoundError):
        import_module("dlmodules.gans.never_was")


@pytest.mark.parametrize("config", all_configs(), ids=lambda path: path.stem)
def test_configurations_name_classes_by_public_paths(config):
    """A file path would end up in checkpoints, and each of them in ``MOVED`` when the file moves."""

    def paths(node):
        if isinstance(node, dict):
            yield from ([node["class_path"]] if "class_path" in node else [])
            for value in node.values():
                yield from paths(value)
        elif isinstance(node, list):
            for value in node:
                yield from paths(value)

    for path in paths(yaml.safe_load(config.read_text())):
        if not path.startswith(("dlmodules.", "datamodules.", "callbacks.")):
            continue
        module, _, name = path.rpartition(".")
        assert class_path(getattr(import_module(module), name)) == path
