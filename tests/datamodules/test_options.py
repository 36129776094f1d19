"""What a data module takes on the command line and in Python, and keeps in a checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from pytorch_lightning import LightningDataModule

import datamodules
from dlmodules import MLPClassifier
from tests.quiet import quiet_trainer

DATA_MODULES = sorted(name for name in datamodules.__all__ if name.endswith("DataModule"))

# Options of its parents that a data module sets itself, so it does not offer them.
SET_BY_ITSELF = {
    "AesopDataModule": {"tokenizer"},
    "BoxDataModule": {"standardize"},
    "CelebADataModule": {"classes", "join_splits"},
    "DigitsDataModule": {"data_dir"},
    "ImageFolderDataModule": {"val_size", "data_dir"},
    "IrisDataModule": {"test_size"},
    "LandDataModule": {"standardize"},
    "LatentSeriesDataModule": {"view"},
    "MNISTMDataModule": {"channels"},
    "PlanetPixelDataModule": {"data_dir"},
    "RingDataModule": {"standardize"},
    "SQuADDataModule": {"file", "test_file"},
    "TinsDataModule": {"data_dir"},
    "TranslatedDataModule": {"val_size", "data_dir", "limit_train"},
    "WrodlDataModule": {"val_size", "test_size", "standardize"},
    "XORDataModule": {"val_size", "test_size", "standardize"},
}


def options(cls: Any) -> dict[str, Any]:
    parser = ArgumentParser()
    parser.add_class_arguments(cls, "data")
    return {action.dest[5:]: action for action in parser._actions if action.dest.startswith("data.")}


@pytest.mark.parametrize("name", DATA_MODULES)
def test_every_option_is_explained(name: str) -> None:
    for option, action in options(getattr(datamodules, name)).items():
        assert getattr(action, "_typehint", action.type) is not None, option
        assert action.help, option


@pytest.mark.parametrize("name", DATA_MODULES)
def test_options_of_the_parents_are_offered(name: str) -> None:
    cls = getattr(datamodules, name)
    parent = cls.__mro__[1]
    wanted = set(options(parent)) if parent is not LightningDataModule else set()
    if parent.__name__ == "InMemoryDataModule" and not issubclass(cls, datamodules.VisionDataModule):
        wanted.remove("train_transform")
    assert wanted - set(options(cls)) == SET_BY_ITSELF.get(name, set())


def test_what_is_handed_on_arrives() -> None:
    data = datamodules.IrisDataModule(batch_size=7, standardize=True, seed=4, num_workers=1, drop_last=True)
    assert (data.batch_size, data.standardize, data.seed, data.num_workers, data.drop_last) == (7, True, 4, 1, True)
    assert (data.val_size, data.test_size) == (24, 30)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'test_size'"):
        datamodules.IrisDataModule(test_size=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'bach_size'"):
        datamodules.DigitsDataModule(bach_size=1)


def test_a_configuration_holds_what_is_handed_on() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(LightningDataModule, "data")
    parsed = parser.parse_args(["--data=datamodules.DiabetesDataModule", "--data.drop_last=true", "--data.seed=5"])
    settings = yaml.safe_load(parser.dump(parsed))["data"]["init_args"]
    assert settings == {
        "val_size": 71, "test_size": 88, "standardize": True, "batch_size": 32, "num_workers": 0, "seed": 5,
        "drop_last": True, "pin_memory": False,
    }  # fmt: skip
    assert parser.instantiate_classes(parsed).data.seed == 5


class Kept(datamodules.IrisDataModule):
    """A user's data module that hands on what it does not know, and is kept in checkpoints."""

    def __init__(self, own: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.save_hyperparameters()
        self.own = own


class KeptChild(datamodules.EnvironmentDataModule):
    """A child of one that is kept in checkpoints."""

    def __init__(self, own: int = 1, **kwargs: Any) -> None:
        super().__init__(num_envs=2, **kwargs)
        self.own = own


def test_a_checkpoint_keeps_what_is_handed_on(tmp_path: Path) -> None:
    trainer = quiet_trainer(max_steps=1, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(MLPClassifier(input_shape=(4,), num_classes=3), Kept(own=3, seed=4, standardize=True))
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    checkpoint = torch.load(tmp_path / "kept.ckpt", weights_only=True)
    kept = checkpoint["datamodule_hyper_parameters"]
    assert {name: kept[name] for name in ("own", "seed", "standardize")} == {"own": 3, "seed": 4, "standardize": True}
    loaded = Kept.load_from_checkpoint(tmp_path / "kept.ckpt")
    assert (loaded.own, loaded.seed, loaded.standardize) == (3, 4, True)


def test_so_do_the_environments() -> None:
    data = KeptChild(own=2, env_id="Acrobot-v1", seed=7)
    assert {name: data.hparams[name] for name in ("own", "env_id", "seed", "num_envs")} == {
        "own": 2, "env_id": "Acrobot-v1", "seed": 7, "num_envs": 2,
    }  # fmt: skip
