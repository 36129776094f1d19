import hashlib
import sys

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import nn

from callbacks.images.feature_network import load_feature_network
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import random_states


class Reader(LightningModule):
    """A classifier as the package trains them: the class is the brighter half, left or right."""

    def __init__(self, num_classes: int = 2, width: int = 3) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Dropout(0.9))
        self.save_hyperparameters()
        self.hparams["_class_path"] = f"{type(self).__module__}.Reader"

    def features(self, x):
        return self.hidden(x)

    def forward(self, x):
        halves = x.mean((1, 2)).split(4, dim=1)
        return torch.stack([half.mean(1) for half in halves], dim=1)


class NoFeatures(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)


def save(module, path, **changes):
    hparams = dict(module.hparams) | changes
    checkpoint = {
        "state_dict": module.state_dict(),
        "hyper_parameters": {key: value for key, value in hparams.items() if value is not None},
        "pytorch-lightning_version": "2.6.4",
    }
    torch.save(checkpoint, path)
    return path


def test_checkpoint_is_rebuilt_frozen_and_described(tmp_path):
    module = Reader(width=5).eval()
    path = save(module, tmp_path / "reader.ckpt")
    torch.rand(3)
    states = random_states()
    network = load_feature_network(str(path))
    assert random_states() == states
    x = torch.rand(6, 1, 8, 8)
    assert torch.equal(network.features(x), module.features(x))
    assert network.features(x).shape == (6, 5)
    assert not network.features(x).requires_grad
    assert network.num_classes == 2
    assert torch.equal(network.classes(x), module(x).argmax(1))
    assert network.description == {
        "class": f"{__name__}.Reader",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest()[:12],
    }


def test_image_halves_are_read(tmp_path):
    x = torch.zeros(2, 1, 8, 8)
    x[0, :, :, :4] = 1
    x[1, :, :, 4:] = 1
    assert load_feature_network(Reader()).classes(x).tolist() == [0, 1]


def test_plain_networks():
    x = torch.rand(2, 3, 8, 8)
    flat = load_feature_network(nn.Identity())
    assert torch.equal(flat.features(x), x.flatten(1))
    assert flat.classes(x) is None
    assert flat.num_classes is None
    assert flat.description == {"class": "torch.nn.modules.linear.Identity"}

    class Backbone(nn.Module):  # as torchvision's: `features` is a part of it, not a method
        def __init__(self):
            super().__init__()
            self.features = nn.Identity()

        def forward(self, x):
            return x.mean((2, 3))

    assert load_feature_network(Backbone()).features(x).shape == (2, 3)


def test_mixed_precision_does_not_reach_the_features():
    network = load_feature_network(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    with torch.autocast("cpu", torch.bfloat16):
        assert network.features(torch.rand(2, 1, 8, 8)).dtype == torch.float32


def test_images_of_another_size_are_refused():
    network = load_feature_network(Reader())
    with pytest.raises(UserError, match=r"Reader does not take images \(1, 9, 9\)"):
        network.features(torch.rand(2, 1, 9, 9))


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(UserError, match=r"feature_network: there is no checkpoint .*x\.ckpt"):
        load_feature_network(tmp_path / "x.ckpt")
    good = save(Reader(), tmp_path / "good.ckpt").read_bytes()
    cases = {"text": b"no checkpoint", "empty": b"", "cut": good[: len(good) // 2]}
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=rf"{name} is no (readable|Lightning) checkpoint|{name} does not say"
        ) as caught:
            load_feature_network(path)
        assert "\n" not in str(caught.value)
    torch.save([1], tmp_path / "list")
    save(Reader(), tmp_path / "unnamed", _class_path=None)
    for name in ("list", "unnamed"):
        with pytest.raises(UserError, match=rf"{name} (is a torch file but no Lightning checkpoint|does not say)"):
            load_feature_network(tmp_path / name)


def test_weights_that_do_not_fit_are_told_in_one_line(tmp_path):
    path = save(Reader(width=5), tmp_path / "x", width=4)
    with pytest.raises(UserError, match="x does not fit Reader") as caught:
        load_feature_network(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "class_path",
    ["antigravity.Reader", "os.system", "dlmodules.nothing.Here", "dlmodules.errors.UserError", "X"],
)
def test_file_cannot_name_code_to_run(tmp_path, class_path):
    path = save(Reader(), tmp_path / "x.ckpt", _class_path=class_path)
    with pytest.raises(UserError, match=r"which (is no module known here|this version of the package does not have)"):
        load_feature_network(path)
    assert "antigravity" not in sys.modules


def test_module_without_features_is_refused(tmp_path):
    path = save(NoFeatures(), tmp_path / "x.ckpt", _class_path=f"{__name__}.NoFeatures")
    with pytest.raises(UserError, match="holds a NoFeatures, which has no method `features`"):
        load_feature_network(path)


def test_inception_without_weights_says_what_to_do(monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no route to host")

    pytest.importorskip("torch_fidelity")
    extractor = "torch_fidelity.feature_extractor_inceptionv3"
    monkeypatch.setattr(f"{extractor}.load_state_dict_from_url", no_network)
    with pytest.raises(UserError, match=r"weights-inception-2015-12-05-6726825d\.pth of torch-fidelity") as caught:
        load_feature_network("inception")
    assert "\n" not in str(caught.value)


def test_inception_without_its_package_says_what_to_install(monkeypatch):
    import torchmetrics.image.fid

    monkeypatch.setattr(torchmetrics.image.fid, "_TORCH_FIDELITY_AVAILABLE", False)
    with pytest.raises(UserError, match="pip install torch-fidelity"):
        load_feature_network("inception")


def test_inception_takes_grey_images(monkeypatch):
    import torchmetrics.image.fid

    class Fake(nn.Module):
        def __init__(self, name, features_list):
            super().__init__()
            assert features_list == ["2048"]

        def forward(self, x):
            assert x.dtype == torch.uint8
            assert x.shape[1:] == (3, 8, 8)
            return x.float().flatten(1)

    monkeypatch.setattr(torchmetrics.image.fid, "NoTrainInceptionV3", Fake)
    network = load_feature_network("inception")
    assert network.features(torch.full((2, 1, 8, 8), 0.5)).unique().tolist() == [128]
    assert network.classes(torch.zeros(2, 1, 8, 8)) is None
