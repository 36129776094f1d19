import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from callbacks import Stylizations
from datamodules import ContentAndStyleDataModule
from dlmodules import NeuralStyle
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

SMALL = NeuralStyle.small_arguments
STRIPES = torch.arange(16).remainder(4).lt(2).float().mul(0.3).add(0.3).expand(1, 3, 16, 16)


class Looks(nn.Module):
    """What horizontal and vertical neighbours add up to, as a layer of two channels."""

    def forward(self, images):
        grey = images.mean(dim=1, keepdim=True)
        across = grey[:, :, :-1, 1:] - grey[:, :, :-1, :-1]
        down = grey[:, :, 1:, :-1] - grey[:, :, :-1, :-1]
        return {"edges": torch.cat([across, down], dim=1), "pixels": images}


def test_a_step_is_one_call_of_the_optimizer_and_counts_its_evaluations(tmp_path):
    module = NeuralStyle(**SMALL)
    batch = module.example_batch(1)
    trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([batch] * 3, batch_size=None))
    assert trainer.global_step == 3
    assert int(module.evaluations) == 60


def test_the_picture_alone_is_trained_and_no_gradient_is_left_in_the_network():
    module = NeuralStyle(**SMALL)
    assert [name for name, _ in module.named_parameters()] == ["picture"]
    pictures = module.example_batch(1)
    loss = module.weighed(*module.objective.judge(module.picture, module.targets_of(pictures))).sum()
    loss.backward()
    assert module.picture.grad is not None
    assert all(parameter.grad is None for parameter in module.objective.network.parameters())
    assert not any("features" in key for key in module.state_dict())


def test_memory_of_the_loss_is_kept_unless_it_restarts(tmp_path):
    def history(restart):
        torch.manual_seed(0)
        module = NeuralStyle(**{**SMALL, "restart": restart, "start": "content"})
        trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
        trainer.fit(module, DataLoader([module.example_batch(1)] * 2, batch_size=None))
        (state,) = trainer.optimizers[0].state.values()
        return state["n_iter"]

    assert history(restart=True) <= 20 < history(restart=False)


def test_targets_are_kept_until_the_pictures_change():
    module = NeuralStyle(**SMALL)
    content, style = module.example_batch(1)
    first = module.targets_of(module.pictures_of((content, style)))
    assert module.targets_of(module.pictures_of((content.clone(), style.clone()))) is first
    other = module.targets_of(module.pictures_of((content / 2, style)))
    assert not torch.equal(other.content["relu2_1"], first.content["relu2_1"])
    other = module.targets_of(module.pictures_of((content / 2, style / 2)))
    assert not torch.equal(other.grams["relu1_1"], first.grams["relu1_1"])


@pytest.mark.parametrize("start", ["content", "noise"])
def test_the_first_picture_is_the_content_or_noise(start):
    module = NeuralStyle(**{**SMALL, "start": start})
    pictures = module.example_batch(1)
    module.begin(pictures.content, module.targets_of(pictures))
    assert torch.equal(module.picture, pictures.content) == (start == "content")
    assert 0 <= float(module.picture.min()) <= float(module.picture.max()) <= 1


def test_it_takes_the_style_and_keeps_the_content(tmp_path):
    """A bright square on grey gets stripes, and stays a bright square; without the weight of either it does not."""
    square = torch.full((1, 3, 16, 16), 0.3)
    square[:, :, 4:12, 4:12] = 0.7

    def trained(content_weight, style_weight):
        torch.manual_seed(0)
        module = NeuralStyle(
            (3, 16, 16),
            feature_network=Looks(),
            content_layers=["pixels"],
            style_layers=["edges"],
            content_weight=content_weight,
            style_weight=style_weight,
            optimizer=lambda p: torch.optim.LBFGS(p, max_iter=20, line_search_fn="strong_wolfe"),
        )
        trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
        batch = (square, STRIPES)
        trainer.fit(module, DataLoader([batch] * 5, batch_size=None), DataLoader([batch], batch_size=None))
        return {name: float(value) for name, value in trainer.callback_metrics.items()}

    both, content, style = trained(1.0, 2.0), trained(1.0, 0.0), trained(0.0, 1.0)
    assert content["val/style_of_start"] == pytest.approx(1.0)
    assert content["val/content_error"] == pytest.approx(0.0)
    assert style["val/style_of_start"] < 0.1
    assert both["val/style_of_start"] < 0.5
    assert both["val/content_error"] < 0.5 * style["val/content_error"]


def test_total_variation_smooths(tmp_path):
    def roughness(variation_weight):
        torch.manual_seed(0)
        module = NeuralStyle(**{**SMALL, "variation_weight": variation_weight})
        trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
        trainer.fit(module, DataLoader([module.example_batch(1)] * 2, batch_size=None))
        return float((module.picture[:, :, 1:] - module.picture[:, :, :-1]).square().mean())

    assert roughness(1000.0) < 0.5 * roughness(0.0)


def test_a_first_order_optimizer_takes_a_step_an_evaluation(tmp_path):
    module = NeuralStyle(**SMALL, optimizer=lambda p: torch.optim.Adam(p, lr=0.02))
    trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([module.example_batch(1)] * 5, batch_size=None))
    assert int(module.evaluations) == 5


def test_wrong_use_ends_in_one_line(tmp_path):
    module = NeuralStyle(**SMALL)
    two = torch.rand(2, 3, 16, 16)
    with pytest.raises(
        UserError, match="one picture of one content, not of 2: set batch_size to 1, or train FastStyle"
    ):
        module.targets_of(module.pictures_of((two, two[:1])))
    with pytest.raises(UserError, match=r"images are \[3, 8, 8\] but NeuralStyle was built for \[3, 16, 16\]"):
        module.pictures_of((torch.rand(1, 3, 8, 8), two))
    with pytest.raises(UserError, match=r"given a style \(1, 3, 16\)"):
        module.pictures_of((two[:1], torch.rand(1, 3, 16)))
    with pytest.raises(UserError, match=r"needs images in \[0, 1\]; these lie in"):
        module.pictures_of((two[:1], 255 * two))
    for arguments, words in (
        ({"formula": "sum"}, "formula is 'sum'; it must be relative, gatys, book"),
        ({"pooling": "min"}, "pooling is 'min'"),
        ({"start": "style"}, "start is 'style'"),
        ({"style_layers": []}, "need one layer or more each"),
        ({"image_shape": (2, 16, 16)}, "pictures have 1 channel or 3"),
        ({"style_weight": -1.0}, "style_weight"),
    ):
        with pytest.raises(UserError, match=words):
            NeuralStyle(**{**SMALL, **arguments})
    lacking = NeuralStyle((3, 16, 16), feature_network=Looks(), content_layers=["pixels"], style_layers=["lines"])
    with pytest.raises(UserError, match="the feature network gives edges, pixels, and no layer 'lines'"):
        lacking.targets_of(lacking.example_batch(1))


def test_grey_pictures_take_a_style_in_colour(tmp_path):
    module = NeuralStyle(**{**SMALL, "image_shape": (1, 16, 16)})
    trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([(torch.rand(1, 1, 16, 16), torch.rand(1, 3, 20, 12))], batch_size=None))
    assert module.stylize(torch.zeros(1, 1, 16, 16)).shape == (1, 1, 16, 16)


def test_pictures_are_drawn_and_the_result_in_its_own_size(tmp_path):
    from PIL import Image

    module = NeuralStyle(**SMALL)
    data = ContentAndStyleDataModule(image_size=16, style_size=(20, 24), epoch=1)
    trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path, callbacks=[Stylizations()])
    trainer.fit(module, data)
    assert Image.open(tmp_path / "media" / "stylized-0000001.png").size == (16, 16)
    assert (tmp_path / "media" / "stylizations-0000001.png").is_file()
