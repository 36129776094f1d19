import subprocess
import sys

import pytest
from pytorch_lightning import LightningDataModule

import datamodules

DATA_MODULES = sorted(name for name in datamodules.__all__ if name.endswith("DataModule"))


def test_importing_the_package_imports_none_of_its_modules() -> None:
    code = "import sys, datamodules; assert not {'torch', 'sklearn', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_importing_the_image_data_modules_leaves_their_sources_for_later() -> None:
    code = """
import sys
import pytorch_lightning
before = set(sys.modules)
from datamodules import CIFAR10DataModule, DigitsDataModule, ImageFolderDataModule, MNISTDataModule
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert not {"sklearn", "torchvision"} & new, new
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", DATA_MODULES)
def test_public_data_modules_are_documented_lightning_data_modules(name: str) -> None:
    cls = getattr(datamodules, name)
    assert issubclass(cls, LightningDataModule)
    assert cls.__doc__
    assert "Args:" in cls.__doc__ or "Arguments" in cls.__doc__
