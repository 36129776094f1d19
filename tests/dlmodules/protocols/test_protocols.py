"""Names alone tell media apart, and on every version of Python alike."""

import inspect

import pytest
import torch
from torch import nn
from typing_extensions import get_protocol_members, is_protocol

from dlmodules import protocols
from dlmodules.protocols import (
    Acts,
    Conditional,
    HasClasses,
    HasFeatures,
    SamplesImages,
    SamplesRows,
    Traverses,
    class_count,
    is_conditional,
)
from dlmodules_cli.systems import systems

MISSING = object()


def is_runtime_checkable(found):
    try:
        isinstance(None, found)
    except TypeError:
        return False
    return is_protocol(found)


RUNTIME = [found for name in protocols.__all__ if is_runtime_checkable(found := getattr(protocols, name))]


class Images:
    image_shape = (1, 4, 4)

    def sample(self, n, labels=None, generator=None):
        return torch.zeros(n, *self.image_shape)


class Mixture:
    """What many a class has that samples no images."""

    def sample(self, n):
        return torch.zeros(n)


class Rows:
    def sample_rows(self, n, generator=None):
        return torch.zeros(n, 3)


def offered(module, *candidates):
    return [protocol.__name__ for protocol in candidates if isinstance(module, protocol)]


def test_media_are_told_apart():
    media = SamplesImages, SamplesRows, Traverses, Acts
    assert offered(Images(), *media) == ["SamplesImages"]
    assert offered(Mixture(), *media) == []
    assert offered(Rows(), *media) == ["SamplesRows"]


def test_a_module_that_says_nothing_of_classes_has_none():
    assert not is_conditional(Images())
    assert class_count(Images()) is None


@pytest.mark.parametrize("conditional", [True, False])
def test_what_a_module_says_of_classes(conditional):
    module = nn.Module()
    module.conditional = conditional
    assert isinstance(module, Conditional)
    assert not isinstance(module, HasClasses)
    module.num_classes = 3
    assert is_conditional(module) is conditional
    assert class_count(module) == 3


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.name)
def test_every_version_of_python_sees_the_same(system):
    """Since Python 3.12 ``isinstance`` finds neither submodules nor buffers, and before it also computes properties."""
    module = system.module()
    for protocol in RUNTIME:
        members = get_protocol_members(protocol)
        found = all(inspect.getattr_static(module, name, MISSING) is not MISSING for name in members)
        assert isinstance(module, protocol) is found, (protocol.__name__, members)


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.name)
def test_every_system_that_has_sample_samples_images(system):
    assert isinstance(system.module(), SamplesImages) is hasattr(system.module, "sample")


def test_the_features_of_a_backbone_are_no_method():
    module = nn.Module()
    module.features = nn.Identity()
    assert inspect.getattr_static(module, "features", MISSING) is MISSING
    assert isinstance(type("Own", (), {"features": lambda self, x: x})(), HasFeatures)
