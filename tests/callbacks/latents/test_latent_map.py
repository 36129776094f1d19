import numpy as np
import pytest
import torch
from pytorch_lightning import LightningDataModule, LightningModule
from torch.utils.data import DataLoader, TensorDataset

from callbacks import LatentMap
from callbacks.latents.latent_map import manifold_figure, scatter_figure
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, random_states, trainer


class Linear(ToyVAE):
    """Codes are the first pixels of an image; an image is as bright as its code's first value, 0 to 1."""

    def training_step(self, batch, batch_idx):
        return 0 * sum(parameter.sum() for parameter in self.parameters())

    def encode(self, x):
        return x.flatten(1)[:, : self.latent_dim]

    def decode(self, z):
        self.decoded = z
        return z[:, :1, None, None].expand(-1, 1, 8, 8)


def points(figure):
    return np.asarray(figure.axes[0].collections[0].get_offsets())


def test_scatter_shows_the_codes_and_names_the_classes():
    codes = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.float32)
    figure = scatter_figure(codes, np.array([0, 2, 0]), ["zero", "one", "two"])
    assert (points(figure) == codes).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["zero", "two"]
    colors = figure.axes[0].collections[0]
    colors.update_scalarmappable()
    legend = [handle.get_color() for handle in figure.legends[0].legend_handles]
    faces = colors.get_facecolors()
    assert faces[0][:3] == pytest.approx(legend[0][:3])
    assert faces[1][:3] == pytest.approx(legend[1][:3])


def test_many_classes_get_a_colour_bar_and_none_one_colour():
    codes = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    assert len(scatter_figure(codes, np.arange(50)).axes) == 2
    plain = scatter_figure(codes)
    assert len(plain.axes) == 1
    assert plain.legends == []


def test_more_dimensions_are_shown_by_principal_components():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(200, 5)) * [0.1, 9, 0.1, 2, 0.1]
    figure = scatter_figure(codes.astype(np.float32))
    drawn = points(figure)
    assert np.abs(np.corrcoef(drawn[:, 0], codes[:, 1])[0, 1]) > 0.999
    assert np.abs(np.corrcoef(drawn[:, 1], codes[:, 3])[0, 1]) > 0.99
    assert "of 5 (9" in figure.axes[0].get_xlabel()  # ninety-odd per cent


@pytest.mark.parametrize("projection", ["tsne", pytest.param("umap", marks=pytest.mark.slow)])
def test_neighbours_stay_together_and_random_numbers_are_left_alone(projection):
    if projection == "umap":
        pytest.importorskip("umap", reason="umap-learn is not installed: pip install -e '.[maps]'")
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(60, 6)).astype(np.float32)
    codes[:30] += 40
    states, threads = random_states(), torch.get_num_threads()
    drawn = points(scatter_figure(codes, np.repeat([0, 1], 30), projection=projection))
    assert random_states() == states
    assert torch.get_num_threads() == threads
    distances = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
    nearest = (distances + 1e9 * np.eye(60)).argmin(axis=1)
    assert ((nearest < 30) == (np.arange(60) < 30)).all()
    assert np.array_equal(drawn, points(scatter_figure(codes, projection=projection)))


def test_a_missing_package_ends_in_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'needs umap-learn: pip install "\.\[maps\]" in a checkout'):
        LatentMap(projection="umap")
    with pytest.raises(UserError, match="must be pca, tsne or umap"):
        LatentMap(projection="isomap")


class Attributes(LightningDataModule):
    attribute_names = ("Hat", "Beard")

    def val_dataloader(self):
        x = loader(n=16).dataset.tensors[0]
        return DataLoader(TensorDataset(x, torch.tensor([[1, 0], [0, 0], [1, 1], [1, 0]] * 4)), 8)


@pytest.mark.parametrize(
    ("colour_by", "title", "values"), [(None, "Hat", [1, 0, 1, 1]), ("Beard", "Beard", [0, 0, 1, 0])]
)
def test_an_attribute_colours_the_codes(tmp_path, monkeypatch, colour_by, title, values):
    figures = []
    monkeypatch.setattr(
        "callbacks.latents.latent_map.save_figure", lambda trainer, name, figure: figures.append(figure)
    )
    drawing = LatentMap(colour_by=colour_by, manifold="none")
    trainer(tmp_path, drawing).validate(Linear(), Attributes(), verbose=False)
    (figure,) = figures
    assert figure.legends[0].get_title().get_text() == title
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["without", "with"]
    assert figure.axes[0].collections[0].get_array().tolist() == values * 4


def test_an_attribute_that_is_none_is_named_before_the_training(tmp_path):
    for data, words in ((Attributes(), "it has Hat, Beard"), (None, "it names none")):
        run = trainer(tmp_path)
        run.datamodule = data
        with pytest.raises(UserError, match=f"no attribute 'Wig' for colour_by; {words}"):
            LatentMap(colour_by="Wig").setup(run, Linear(), "fit")


def test_one_dimension_is_drawn_against_the_class():
    figure = scatter_figure(np.array([[0.5], [1.5]], dtype=np.float32), np.array([3, 1]))
    assert points(figure).tolist() == [[0.5, 3], [1.5, 1]]


@pytest.mark.parametrize("manifold", ["range", "quantiles"])
def test_manifold_lies_as_its_axes_say(tmp_path, manifold):
    module, logger = Linear(), ImageLogger()
    drawing = LatentMap(manifold=manifold, manifold_size=5)
    data = loader(n=64)
    trainer(tmp_path, drawing, logger=logger).fit(module, loader(), data)
    assert [name for name, *_ in logger.pictures] == ["latent_manifold", "latent_map"]
    grid = module.decoded.view(5, 5, 2)
    if manifold == "range":
        low, high = np.quantile(data.dataset.tensors[0].flatten(1)[:, :2], [0.02, 0.98], axis=0)
    else:
        low, high = [-2.0537] * 2, [2.0537] * 2  # the standard normal's 2nd and 98th percentile
    # Left to right the first value grows, bottom to top the second.
    assert grid[-1, 0].tolist() == pytest.approx(low, abs=1e-3)
    assert grid[0, -1].tolist() == pytest.approx(high, abs=1e-3)
    assert (grid[:, 0, 0] == grid[0, 0, 0]).all()


def test_tick_labels_stand_at_their_tiles():
    values = np.linspace(-2, 2, 5).astype(np.float32)
    figure = manifold_figure(torch.zeros(25, 1, 9, 9), [values, values * 10])
    axes = figure.axes[0]
    # Tiles of 9 pixels, and a gutter of one before each and after the last.
    assert axes.get_xticks().tolist() == [5, 15, 25, 35, 45]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["-2.00", "-1.00", "0.00", "1.00", "2.00"]
    assert axes.get_yticks().tolist() == [45, 35, 25, 15, 5]
    assert axes.get_yticklabels()[0].get_text() == "-20.00"
    shown = axes.images[0].get_array()
    assert shown.shape == (51, 51)
    assert (shown[::10] == 255).all()  # white gutters
    assert (shown[:, ::10] == 255).all()
    assert (shown == 0).sum() == 25 * 81


def test_what_is_plotted_unless_something_else_is_chosen(tmp_path, monkeypatch):
    figures = {}
    monkeypatch.setattr("callbacks.latents.latent_map.save_figure", lambda trainer, *named: figures.update([named]))
    module = Linear()
    trainer(tmp_path, LatentMap()).fit(module, loader(), loader(n=2100))
    assert len(module.decoded) == 12 * 12
    assert len(points(figures["latent_map"])) == 2000


@pytest.mark.parametrize(("latent_dim", "options"), [(3, {}), (2, {"manifold": "none"})])
def test_manifold_is_left_out(tmp_path, latent_dim, options):
    logger = ImageLogger()
    trainer(tmp_path, LatentMap(**options), logger=logger).fit(Linear(latent_dim=latent_dim), loader(), loader())
    assert [name for name, *_ in logger.pictures] == ["latent_map"]


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [LatentMap(every_n_steps=2, manifold_size=3)]):
        torch.manual_seed(0)
        module = ToyVAE()
        trainer(tmp_path, *callbacks, max_epochs=2).fit(module, loader(), loader())
        ends.append(torch.cat([tensor.flatten().double() for tensor in module.state_dict().values()]))
    assert torch.equal(*ends)


def test_infinite_codes_warn_and_stop_nothing(tmp_path):
    class Broken(Linear):
        def encode(self, x):
            return super().encode(x) / 0

    logger = ImageLogger()
    with pytest.warns(UserWarning, match="0 of 24 codes are finite, 3 are needed"):
        trainer(tmp_path, LatentMap(), logger=logger, max_epochs=2).fit(Broken(), loader(), loader())
    assert logger.pictures == []


def test_mistakes_are_named(tmp_path):
    class Plain(LightningModule):
        pass

    with pytest.raises(UserError, match="a method `encode`; Plain has none"):
        LatentMap().setup(trainer(tmp_path), Plain(), "fit")
    conditional = Linear()
    conditional.conditional, conditional.num_classes = True, 3
    with pytest.raises(UserError, match="label 3 for Linear: give labels from 0 to 2"):
        LatentMap(label=3).setup(trainer(tmp_path), conditional, "fit")
    with pytest.raises(UserError, match="manifold_size must be 2 or more"):
        LatentMap(manifold_size=1)
