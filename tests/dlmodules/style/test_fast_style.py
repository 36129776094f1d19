import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from callbacks import Stylizations
from datamodules import StyledImagesDataModule
from dlmodules import FastStyle
from dlmodules.errors import UserError
from dlmodules.layers.normalization import image_norm
from dlmodules.style import TransformNetwork
from dlmodules.style.module import Pictures
from tests.quiet import quiet_trainer

SMALL = FastStyle.small_arguments


class Colours(nn.Module):
    """Brightness as content, colours as style."""

    def forward(self, images):
        return {"grey": images.mean(dim=1, keepdim=True), "colours": images}


def test_pictures_of_any_size_keep_it():
    network = TransformNetwork(width=4, blocks=1)
    for height, width in ((16, 16), (17, 22), (31, 9), (5, 5)):
        styled = network(torch.rand(2, 3, height, width))
        assert styled.shape == (2, 3, height, width)
        assert 0 <= float(styled.min()) <= float(styled.max()) <= 1


def test_the_papers_network_has_its_parameters():
    """The sum over its layers by hand: convolutions with biases, and two numbers a channel for each norm."""
    convolutions = [(3, 32, 9), (32, 64, 3), (64, 128, 3), *[(128, 128, 3)] * 10, (128, 64, 3), (64, 32, 3), (32, 3, 9)]
    weights = sum(a * b * k * k + b for a, b, k in convolutions)
    norms = 2 * (32 + 64 + 128 + 10 * 128 + 64 + 32)
    assert sum(p.numel() for p in TransformNetwork().parameters()) == weights + norms == 1_679_235


def test_it_learns_a_style_and_keeps_the_content(tmp_path):
    """Grey pictures become red ones, as bright as they were."""
    torch.manual_seed(0)
    network = TransformNetwork(width=4, blocks=1)
    module = FastStyle(
        network,
        (3, 16, 16),
        feature_network=Colours(),
        content_layers=["grey"],
        style_layers=["colours"],
        content_weight=3.0,
        style_weight=1.0,
        optimizer=lambda p: torch.optim.Adam(p, lr=0.01),
    )
    draw = torch.Generator().manual_seed(0)
    grey = torch.rand(64, 1, 4, 4, generator=draw).repeat_interleave(4, 2).repeat_interleave(4, 3) / 3
    contents = grey.expand(-1, 3, -1, -1)
    style = torch.zeros(1, 3, 16, 16)
    style[:, 0] = torch.rand(1, 16, 16, generator=draw)
    train = [(contents[k : k + 8], style) for k in range(0, 56, 8)]
    trainer = quiet_trainer(max_epochs=60, default_root_dir=tmp_path, num_sanity_val_steps=0)
    trainer.fit(module, DataLoader(train, batch_size=None))
    unseen = contents[56:]
    with torch.no_grad():
        styled = module.eval().stylize(unseen)
    assert float(styled[:, 1:].mean()) < 0.25 * float(styled[:, 0].mean())
    together = torch.stack([styled.mean(dim=1).flatten(), unseen.mean(dim=1).flatten()])
    assert float(torch.corrcoef(together)[0, 1]) > 0.65


def test_a_content_as_its_own_targets_has_no_content_error():
    module = FastStyle(nn.Identity(), **{k: v for k, v in SMALL.items() if k != "network"})
    content, style = module.example_batch(2)
    errors = module.errors(module(content), module.targets_of(Pictures(content, style)))
    assert float(errors["content_error"]) == 0
    assert float(errors["style_error"]) > 0
    assert float(errors["loss"]) == pytest.approx(50 * float(errors["style_error"]))


def test_the_style_is_looked_at_once(tmp_path):
    module = FastStyle(**SMALL)
    content, style = module.example_batch(2)
    seen = []
    module.objective.network.register_forward_pre_hook(lambda network, args: seen.append(args[0]))
    for _ in range(3):
        module.targets_of(Pictures(content, style.clone()))
    assert sum(torch.equal(images, style) for images in seen) == 1
    module.targets_of(Pictures(content, style / 2))
    assert torch.equal(seen[-2], style / 2) or torch.equal(seen[-1], style / 2)


def test_training_leaves_the_frozen_network_alone(tmp_path):
    module = FastStyle(**SMALL)
    before = {key: value.clone() for key, value in module.objective.network.state_dict().items()}
    trainer = quiet_trainer(max_steps=2, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([module.example_batch(2)] * 2, batch_size=None))
    after = module.objective.network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(p.grad is None for p in module.objective.network.parameters())
    assert {key.partition(".")[0] for key in module.state_dict()} == {"network"}


@pytest.mark.parametrize(
    ("norm", "together"), [("batch", (0, 2, 3)), ("layer", (1, 2, 3)), ("instance", (2, 3)), ("none", None)]
)
def test_norms_differ_in_what_has_one_mean(norm, together):
    x = torch.randn(4, 8, 5, 5) * 3 + 2
    found = image_norm(norm, 8)(x)
    if together is None:
        assert torch.equal(found, x)
        return
    mean, variance = x.mean(together, keepdim=True), x.var(together, correction=0, keepdim=True)
    torch.testing.assert_close(found, (x - mean) / (variance + 1e-5).sqrt())


def test_groups_are_an_eighth_of_the_channels_or_whole():
    x = torch.randn(2, 12, 3, 3)  # 8 and 12 have 4 in common
    found = image_norm("group", 12)(x)
    parts = x.view(2, 4, 3, 3, 3)
    mean, variance = parts.mean((2, 3, 4), keepdim=True), parts.var((2, 3, 4), correction=0, keepdim=True)
    torch.testing.assert_close(found, ((parts - mean) / (variance + 1e-5).sqrt()).view_as(x))
    with pytest.raises(UserError, match="norm is 'weight'"):
        image_norm("weight", 4)


def test_it_translates_one_way_and_takes_grey_pictures():
    module = FastStyle(**SMALL).eval()
    grey = torch.rand(2, 1, 12, 20)
    assert torch.equal(module.translate(grey), module.stylize(grey.expand(-1, 3, -1, -1)))
    with pytest.raises(UserError, match="no direction 'b2a'"):
        module.translate(grey, "b2a")
    with pytest.raises(UserError, match=r"images are \[2, 12, 20\] but FastStyle was built for \[3, 12, 20\]"):
        module.stylize(torch.rand(1, 2, 12, 20))


def test_a_checkpoint_styles_without_the_frozen_network(tmp_path):
    module = FastStyle(**{**SMALL, "feature_network": "nowhere.safetensors"})
    assert module.translate(torch.rand(1, 3, 16, 16)).shape == (1, 3, 16, 16)
    with pytest.raises(UserError, match=r"nor a safetensors file: nowhere.safetensors"):
        module.setup("fit")


def test_pictures_are_drawn(tmp_path):
    module = FastStyle(**SMALL)
    data = StyledImagesDataModule.small()
    trainer = quiet_trainer(
        max_epochs=1, limit_train_batches=2, default_root_dir=tmp_path, callbacks=[Stylizations(num=3)]
    )
    trainer.fit(module, data)
    assert list((tmp_path / "media").glob("stylizations-*.png"))
