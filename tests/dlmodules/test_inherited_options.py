"""A variant offers what it inherits on the command line, but for what it fixes."""

import pytest
from jsonargparse import ArgumentParser

import dlmodules
from dlmodules.classifiers import Classifier


def options(cls):
    parser = ArgumentParser()
    parser.add_class_arguments(cls, "model")
    return {action.dest.removeprefix("model."): action for action in parser._actions if action.dest != "help"}


@pytest.mark.parametrize(
    ("variant", "base", "fixed"),
    [
        ("CVAE", "VAE", {"r_loss_factor"}),
        ("DenoisingAutoencoder", "Autoencoder", set()),
        ("ColorizationAutoencoder", "Autoencoder", set()),
        ("StateAutoencoder", "Autoencoder", {"image_shape", "loss"}),
        ("MLPRegression", "LinearRegression", {"bias"}),
    ],
)
def test_a_variant_offers_the_options_of_its_base(variant, base, fixed):
    found, inherited = options(getattr(dlmodules, variant)), options(getattr(dlmodules, base))
    assert inherited.keys() - found.keys() == fixed
    assert all(found[name].help for name in inherited.keys() & found.keys())


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in dlmodules.__all__
        if isinstance(cls := getattr(dlmodules, name), type) and issubclass(cls, Classifier)
    ],
)
def test_a_classifier_offers_number_of_classes_optimizer_and_schedule(name):
    found = options(getattr(dlmodules, name))
    assert {"num_classes", "optimizer", "scheduler"} <= found.keys()
    assert all(action.help for action in found.values())
    assert ("network" in found) == (name in ("BERTClassifier", "CNNClassifier", "TextClassifier"))


@pytest.mark.parametrize("name", ["DBN", "ConvDBN"])
def test_a_stack_of_machines_offers_optimizer_and_schedule_and_builds_its_stack(name):
    found = options(getattr(dlmodules, name))
    assert {"image_shape", "optimizer", "scheduler"} <= found.keys()
    assert "stack" not in found
