"""Every system takes batches in the forms in which loaders give them, and names those that it cannot take."""

import pytest
import torch
from torch.utils.data import DataLoader

from dlmodules import GAN, VAE, Autoencoder, MLPClassifier
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, GivesExamples, finds_classes, is_conditional
from dlmodules.training.batches import inputs_of
from dlmodules_cli.systems import systems
from tests.quiet import quiet_trainer
from tests.systems.cases import small_arguments

SYSTEMS = [system for system in systems() if not issubclass(system.module, Acts) and system.name != "Classifier"]
MODULES = {system.name: system.module for system in SYSTEMS}
FAMILIES = {system.name: system.family for system in SYSTEMS}


def built(name):
    torch.manual_seed(0)
    module = MODULES[name](**small_arguments(MODULES[name]))
    if FAMILIES[name] == "estimators":  # which have examples when they are fitted
        return module, (torch.rand(8, 4), torch.arange(8) % 2)
    assert isinstance(module, GivesExamples)
    return module, module.example_batch(8)


def run(module, batch, tmp_path):
    """Train and validate for a batch."""
    trainer = quiet_trainer(max_epochs=1, num_sanity_val_steps=0, default_root_dir=tmp_path)
    loader = DataLoader([batch], batch_size=None)
    trainer.fit(module, loader, loader)
    assert trainer.global_step == 1
    trainer.predict(module, loader)


@pytest.mark.parametrize(
    "name",
    sorted(
        MODULES.keys()
        - {
            "ADDA",
            "CyCADA",
            "CycleGAN",
            "FastStyle",
            "MDNRNN",
            "NeuralStyle",
            "Pix2Pix",
            "PixelDA",
            "QuestionGenerator",
        }
    ),
)  # they have names of their own
def test_dictionaries_doubles_and_short_labels_are_taken(name, tmp_path):
    module, (x, *_, y) = built(name)
    x = x.double() if x.is_floating_point() else x
    labels = y if y.is_floating_point() else y.int()
    run(module, {"image": x, "label": labels, "index": torch.arange(8)}, tmp_path)
    assert all(p.dtype == torch.float32 for p in module.parameters())


@pytest.mark.parametrize("name", MODULES)
def test_labels_are_missed_by_those_alone_that_need_them(name, tmp_path):
    module, (x, *_) = built(name)
    # The contexts of a word stand where labels do.
    told = name == "Word2Vec" or (is_conditional(module) and not finds_classes(module))
    predicts = FAMILIES[name] in ("classifiers", "driving", "estimators", "regression")
    predicts = predicts or name in (
        "ADDA",
        "BERT",
        "CountingRNN",
        "CyCADA",
        "CycleGAN",
        "FastStyle",
        "HandwritingSynthesis",
        "MDNRNN",
        "NeuralStyle",
        "Pix2Pix",
        "PixelDA",
        "PointerNetwork",
        "QuestionGenerator",
        "Seq2Seq",
        "Transformer",
    )
    if not told and not predicts:
        run(module, x, tmp_path)
        return
    with pytest.raises(UserError, match=f"{name} .*needs batches of (images|inputs|sources) and (labels|targets)"):
        run(module, x, tmp_path)


@pytest.mark.parametrize("system", [VAE, Autoencoder, GAN, MLPClassifier])
def test_images_in_bytes_are_refused_in_one_line(system, tmp_path):
    module = system((1, 8, 8))
    batch = torch.randint(0, 256, (8, 1, 8, 8), dtype=torch.uint8), torch.arange(8)
    with pytest.raises(
        UserError, match=rf"images are uint8; {system.__name__} needs float32: .* by images.float\(\) / 255"
    ):
        run(module, batch, tmp_path)


def test_double_precision_stays_where_it_was_asked_for(tmp_path):
    module, (x, y) = built("VAE")
    trainer = quiet_trainer(max_steps=1, precision="64-true", default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([{"image": x, "label": y}], batch_size=None))
    assert all(p.dtype == torch.float64 for p in module.parameters())


def test_what_no_batch_is_made_of_is_named():
    images = torch.rand(2, 1, 4, 4)
    assert inputs_of({"pixel_values": images}) is images
    for batch, words in (
        ({"a": images, "b": images}, "a batch has the keys a, b; name its inputs one of image, images"),
        ({"image": [images]}, r"'image' of a batch is a list and no tensor: .*with_format\('torch'\)"),
        (["a"], "a batch is a list; it must be a tensor, or a tuple or dictionary of tensors"),
        (None, "a batch is a NoneType"),
    ):
        with pytest.raises(UserError, match=words):
            inputs_of(batch)
