"""Networks of libraries: published parameter counts, what is frozen, and what cannot be had."""

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from datamodules import DigitsDataModule
from dlmodules import BackboneClassifier
from dlmodules.checkpoints.loading import load_module
from dlmodules.classifiers.backbone_networks import make_backbone
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

IMAGENET = {
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "inception_v3": 27_161_264,
    "mobilenet_v2": 3_504_872,
    "densenet121": 7_978_856,
    "timm/inception_v4": 42_679_816,
    "timm/inception_resnet_v2": 55_843_464,
    "timm/legacy_xception": 22_855_952,
    "timm/mobilenetv1_100": 4_231_976,
}


@pytest.mark.parametrize("name", IMAGENET)
@pytest.mark.filterwarnings("ignore:The default weight initialization")
def test_published_parameter_counts(name):
    if name.startswith("timm/"):
        pytest.importorskip("timm", reason="timm is not installed: pip install -e '.[backbones]'")
    with torch.device("meta"):
        network, head = make_backbone(name, 1000, pretrained=False)
        assert sum(p.numel() for p in network.parameters()) == IMAGENET[name]
        assert network.eval()(torch.rand(2, 3, 299, 299)).shape == (2, 1000)
    assert network.get_submodule(head).out_features == 1000


def test_inception_v1_has_its_published_parameters_without_the_auxiliary_classifiers():
    with torch.device("meta"):
        network, _ = make_backbone("googlenet", 1000, pretrained=False)
    assert sum(p.numel() for name, p in network.named_parameters() if "aux" not in name) == 6_624_904


def test_inception_trains_on_its_main_logits():
    module = BackboneClassifier(input_shape=(3, 96, 96), backbone="googlenet", num_classes=4)
    assert module.train()(torch.rand(2, 3, 96, 96)).shape == (2, 4)


def trainer(root, **options):
    return quiet_trainer(default_root_dir=root, limit_train_batches=3, limit_val_batches=1, **options)


def test_frozen_layers_keep_weights_and_statistics(tmp_path):
    torch.manual_seed(0)
    module = BackboneClassifier(input_shape=(1, 28, 28), frozen=True)
    before = {name: tensor.clone() for name, tensor in module.network.body.state_dict().items()}
    trainer(tmp_path, max_epochs=2).fit(module, DigitsDataModule(batch_size=16))
    changed = {
        name for name, tensor in module.network.body.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed == {"fc.weight", "fc.bias"}


def test_layers_begin_to_learn_from_the_last_upwards(tmp_path):
    module = BackboneClassifier(input_shape=(1, 28, 28), frozen=True, unfreeze_every=2)
    learning = []

    class Watch(pl.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            body = pl_module.network.body
            learning.append(
                [name for name, child in body.named_children() if any(p.requires_grad for p in child.parameters())]
            )

    trainer(tmp_path, max_epochs=4, callbacks=[Watch()]).fit(module, DigitsDataModule(batch_size=16))
    assert learning == [["fc"], ["fc"], ["layer4", "fc"], ["layer4", "fc"]]
    assert module.network.body.layer4[1].training
    assert not module.network.body.layer4[0].training  # its turn has not come


def test_a_checkpoint_needs_no_pretrained_weights(tmp_path, monkeypatch):
    from torchvision import models

    real = models.get_model

    def cached(name, weights=None, **kwargs):  # as if the library had its weights
        return real(name, weights=None, **kwargs)

    monkeypatch.setattr(models, "get_model", cached)
    module = BackboneClassifier(pretrained=True, num_classes=4)
    fit = trainer(tmp_path, max_epochs=1)
    fit.strategy.connect(module)
    fit.save_checkpoint(tmp_path / "x.ckpt")

    def refuse(name, weights=None, **kwargs):
        assert weights is None
        return real(name, weights=None, **kwargs)

    monkeypatch.setattr(models, "get_model", refuse)
    again = load_module(tmp_path / "x.ckpt")
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))


def test_images_are_resized_and_grey_is_repeated():
    module = BackboneClassifier(input_shape=(1, 28, 28), image_size=64).eval()
    seen = []
    module.network.body.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    module(torch.full((2, 1, 28, 28), 0.485))
    assert seen[0].shape == (2, 3, 64, 64)
    torch.testing.assert_close(seen[0][:, 0], torch.zeros(2, 64, 64), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backbone": "resnet19"}, "torchvision has no network 'resnet19'"),
        ({"backbone": "timm/resnet19"}, "timm has no network 'resnet19'"),
        ({"unfreeze_every": 2}, "unfreeze_every needs frozen"),
    ],
)
def test_mistakes_are_named(arguments, words):
    if "timm" in str(arguments):
        pytest.importorskip("timm", reason="timm is not installed: pip install -e '.[backbones]'")
    with pytest.raises(UserError, match=words):
        BackboneClassifier(**arguments)


def test_weights_that_cannot_be_had_are_named(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(UserError, match="the weights of resnet18 are not in the library's cache and cannot be downl"):
        BackboneClassifier(pretrained=True)


def test_the_last_layer_of_pretrained_weights_is_new(monkeypatch):
    from torchvision import models

    real = models.get_model
    monkeypatch.setattr(models, "get_model", lambda name, weights=None, **kw: real(name, weights=None, **kw))
    network, head = make_backbone("vgg11", 7, pretrained=True)
    assert head == "classifier.6"
    assert isinstance(network.classifier[6], nn.Linear)
    assert network.classifier[6].out_features == 7
