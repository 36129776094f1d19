import pytest
import torch
from safetensors.torch import save_file

from dlmodules.errors import UserError
from dlmodules.style.vgg import IMAGENET_MEAN, IMAGENET_STD, VGGFeatures, layer_names, load_feature_network


@pytest.fixture(scope="module")
def torchvision_network():
    from torchvision.models import vgg16

    torch.manual_seed(0)
    return vgg16(weights=None).eval()


def kept(network, path, dtype=torch.float32, **metadata):
    weights = {key: value.to(dtype) for key, value in network.state_dict().items() if key.startswith("features.")}
    save_file(weights, path, metadata=metadata or None)
    return str(path)


def test_layers_are_those_of_torchvision(torchvision_network, tmp_path):
    images = torch.rand(2, 3, 32, 40)
    network = load_feature_network(
        kept(torchvision_network, tmp_path / "vgg.safetensors"), ["relu1_1", "relu3_3", "relu5_3"], "max"
    )
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        found = network(images)
        for name, place in (("relu1_1", 1), ("relu3_3", 15), ("relu5_3", 29)):
            wanted = torchvision_network.features[: place + 1]((images - mean) / std)
            torch.testing.assert_close(found[name], wanted)
    assert list(found) == ["relu1_1", "relu3_3", "relu5_3"]


def test_no_more_is_computed_than_is_asked_for():
    assert len(VGGFeatures(["relu2_1"], 19).features) == 7
    assert len(layer_names(16)) == 13
    assert layer_names(19)[-1] == "relu5_4"
    assert not any(parameter.requires_grad for parameter in VGGFeatures(["relu1_1"]).parameters())


def test_the_file_tells_how_images_are_given(torchvision_network, tmp_path):
    described = kept(torchvision_network, tmp_path / "a.safetensors", input="RGB 0..255 minus (120.5,110,100.25)")
    network = load_feature_network(described, ["relu1_1"], "max")
    images = torch.rand(1, 3, 8, 8)
    given = 255 * images - torch.tensor([120.5, 110.0, 100.25])[:, None, None]
    wanted = torchvision_network.features[:2](given)
    torch.testing.assert_close(network(images)["relu1_1"], wanted, rtol=1e-4, atol=1e-4)


def test_half_precision_is_read_as_single(torchvision_network, tmp_path):
    path = kept(torchvision_network, tmp_path / "half.safetensors", torch.float16)
    assert load_feature_network(path, ["relu1_1"], "max")(torch.rand(1, 3, 8, 8))["relu1_1"].dtype == torch.float32


def test_average_pooling_takes_the_place_of_the_largest(torchvision_network, tmp_path):
    path = kept(torchvision_network, tmp_path / "vgg.safetensors")
    networks = {kind: load_feature_network(path, ["relu1_2", "relu2_1"], kind) for kind in ("max", "average")}
    images = torch.rand(1, 3, 8, 8)
    first = {kind: network(images) for kind, network in networks.items()}
    assert torch.equal(first["max"]["relu1_2"], first["average"]["relu1_2"])
    assert not torch.equal(first["max"]["relu2_1"], first["average"]["relu2_1"])
    conv = networks["average"].features[5]
    pooled = torch.nn.functional.avg_pool2d(first["average"]["relu1_2"], 2)
    torch.testing.assert_close(first["average"]["relu2_1"], conv(pooled).relu())


def test_untrained_weights_are_the_same_each_time():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    networks = [load_feature_network("untrained", ["relu2_1"], "max") for _ in range(2)]
    images = torch.rand(1, 3, 8, 8)
    assert torch.equal(networks[0](images)["relu2_1"], networks[1](images)["relu2_1"])
    torch.manual_seed(1)
    assert torch.equal(before, torch.get_rng_state())


def test_grey_images_are_seen_as_colour():
    network = load_feature_network("untrained", ["relu2_1"], "max")
    grey = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(network(grey)["relu2_1"], network(grey.expand(-1, 3, -1, -1))["relu2_1"])


def test_what_cannot_be_read_ends_in_one_line(torchvision_network, tmp_path, monkeypatch):
    (tmp_path / "text.safetensors").write_text("no weights")
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "one.safetensors")
    other = kept(torchvision_network, tmp_path / "other.safetensors", input="BGR")
    wrong = {f"features.{n}.weight": torch.zeros(2, 2, 3, 3) for n in range(13)}
    save_file(wrong, tmp_path / "wrong.safetensors")
    for source, words in (
        (str(tmp_path / "none.safetensors"), "neither vgg16, vgg19, untrained nor a safetensors file"),
        (str(tmp_path / "text.safetensors"), "neither vgg16, vgg19, untrained nor a safetensors file"),
        (str(tmp_path / "one.safetensors"), "the convolutions of neither VGG-16 nor VGG-19"),
        (other, "describes its input as 'BGR'"),
        (str(tmp_path / "wrong.safetensors"), r"features.0.weight is missing or has another shape"),
    ):
        with pytest.raises(UserError, match=words):
            load_feature_network(source, ["relu1_1"], "max")
    with pytest.raises(UserError, match="VGG-16 has no layer 'relu5_4'"):
        load_feature_network(kept(torchvision_network, tmp_path / "vgg.safetensors"), ["relu5_4"], "max")
    with pytest.raises(UserError, match="images of 8x3 are too small for relu3_1: it needs 4 pixels"):
        load_feature_network("untrained", ["relu3_1"], "max")(torch.rand(1, 3, 8, 3))

    def no_network(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", no_network)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(UserError, match=r"weights of vgg19 .* cannot be downloaded \(no route to host\): put vgg19"):
        load_feature_network("vgg19", ["relu1_1"], "max")
