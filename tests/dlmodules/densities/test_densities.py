"""Densities that count: the figures of the book, worked by hand, and that what they learn is near what is true."""

from math import inf, log, prod

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from datamodules import LandDataModule, PlanetPixelDataModule, WrodlDataModule
from datamodules.tables.wrodl import NEVER, TWICE, indices
from dlmodules import BoxDensity, Multinomial, NaiveBayes, PixelNaiveBayes
from dlmodules.densities.pixel_naive_bayes import palette_colors, palette_indices
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

POINTS = torch.tensor([[0.0, 1.0], [2.0, -1.0], [1.0, 0.0]])


def fit(module, data, **kwargs):
    trainer = quiet_trainer(**{"max_epochs": 1} | kwargs)
    trainer.fit(module, data)
    return trainer


def loader(x, batch_size=2):
    return DataLoader(TensorDataset(x, torch.zeros(len(x))), batch_size=batch_size)


def rows(*names):
    return torch.tensor([indices(name) for name in names])


def counted(module, x):
    fit(module, loader(x, batch_size=64))
    return module


def test_the_box_is_the_bounding_box():
    module = BoxDensity()
    trainer = fit(module, loader(POINTS), max_epochs=2)
    assert (module.low.tolist(), module.high.tolist()) == ([0.0, -1.0], [2.0, 1.0])
    assert (int(module.seen), trainer.global_step) == (3, 4)
    at = torch.tensor([[1.0, 0.5], [0.0, 1.0], [2.0, 1.0], [2.1, 0.0], [1.0, -1.5]])
    assert module.log_likelihood(at).tolist() == pytest.approx([-log(4)] * 3 + [-inf] * 2)
    assert trainer.callback_metrics["train/log_likelihood"].item() == pytest.approx(-log(4))


def test_samples_of_a_box_are_uniform_in_it():
    module = counted(BoxDensity(), POINTS)
    samples = module.sample_rows(20_000, generator=torch.Generator().manual_seed(0))
    assert (module.log_likelihood(samples) > -inf).all()
    assert samples.mean(dim=0).tolist() == pytest.approx([1.0, 0.0], abs=0.02)
    assert samples.var(dim=0).tolist() == pytest.approx([4 / 12] * 2, abs=0.01)


def test_a_later_epoch_forgets_the_one_before():
    class Halves(DataLoader):
        """Other rows in every epoch."""

        epoch = -1

        def __iter__(self):
            self.epoch += 1
            return iter(loader(POINTS[:2] if self.epoch == 0 else POINTS[2:].repeat(2, 1)))

    module = BoxDensity()
    fit(module, Halves(TensorDataset(POINTS[:2], POINTS[:2]), batch_size=2), max_epochs=2)
    assert module.low.tolist() == module.high.tolist() == [1.0, 0.0]
    assert int(module.seen) == 2
    assert module.log_likelihood(POINTS).tolist() == [-inf, -inf, inf]  # a single place has no volume


def test_the_multinomial_of_the_book():
    module = Multinomial()
    fit(module, WrodlDataModule())
    assert module.free_parameters == 4031
    assert module.log_likelihood(rows(TWICE, NEVER)).exp().tolist() == pytest.approx([0.04, 0.0])
    assert module.probabilities().sum().item() == pytest.approx(1.0)


def test_the_smoothed_multinomial_sums_to_one():
    module = Multinomial(pseudocount=1)
    fit(module, WrodlDataModule())
    expected = [3 / 4082, 1 / 4082]  # the book divides by 4,081: its probabilities sum to 4082 / 4081
    assert module.log_likelihood(rows(TWICE, NEVER)).exp().tolist() == pytest.approx(expected)
    assert module.probabilities().sum().item() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("pseudocount", "expected"), [(0, [0.5, 0, 0, 0.25, 0, 0.25]), (1, [0.3, 0.1, 0.1, 0.2, 0.1, 0.2])]
)
def test_a_small_multinomial(pseudocount, expected):
    x = torch.tensor([[0, 0], [1, 2], [0, 0], [1, 0]])
    module = Multinomial([2, 3], pseudocount)
    trainer = fit(module, loader(x, batch_size=3))
    assert module.probabilities().flatten().tolist() == pytest.approx(expected)
    mean = (2 * log(expected[0]) + log(expected[3]) + log(expected[5])) / 4
    assert trainer.callback_metrics["train/log_likelihood"].item() == pytest.approx(mean)
    assert module.log_likelihood(x).mean().item() == pytest.approx(mean)
    drawn = module.sample_rows(20_000, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn @ torch.tensor([3, 1]), minlength=6) / len(drawn)
    assert shares.tolist() == pytest.approx(expected, abs=0.015)


def test_the_naive_bayes_of_the_book():
    module = NaiveBayes()
    fit(module, WrodlDataModule())
    assert module.free_parameters == 23
    first, other = module.log_likelihood(rows(TWICE, NEVER)).exp().tolist()
    assert first == pytest.approx(0.46 * 0.16 * 0.44 * 0.38 * 0.44) == pytest.approx(0.0054146, abs=1e-7)
    assert other == pytest.approx(0.00098, abs=5e-6)
    assert module.probabilities()[0].tolist() == pytest.approx([0.14, 0, 0.02, 0.46, 0.02, 0.22, 0.14, 0])


def test_a_small_naive_bayes_with_a_pseudocount():
    module = counted(NaiveBayes([2, 3], pseudocount=1), torch.tensor([[0, 0], [1, 2], [0, 0]]))
    expected = torch.tensor([[3 / 5, 2 / 5, 0], [3 / 6, 1 / 6, 2 / 6]])  # nothing beyond a column's categories
    assert torch.allclose(module.probabilities(), expected)
    assert module.log_likelihood(torch.tensor([[1, 1]])).item() == pytest.approx(log(2 / 5 / 6))
    drawn = module.sample_rows(20_000, generator=torch.Generator().manual_seed(0))
    for column, table in enumerate(expected):
        shares = torch.bincount(drawn[:, column], minlength=3) / len(drawn)
        assert shares.tolist() == pytest.approx(table.tolist(), abs=0.015)
    # Columns are drawn apart: both at once is the product.
    assert ((drawn == 0).all(dim=1).float().mean()).item() == pytest.approx(0.3, abs=0.015)


def test_the_train_log_likelihood_is_the_mean_over_training_rows():
    data = WrodlDataModule()
    for module in (Multinomial(), Multinomial(pseudocount=0.5), NaiveBayes(), NaiveBayes(pseudocount=2)):
        logged = fit(module, data).callback_metrics["train/log_likelihood"].item()
        assert logged == pytest.approx(module.log_likelihood(data.train_set.x).mean().item(), rel=1e-5)


def test_impossible_rows_are_told_apart():
    trainer = fit(module := NaiveBayes([2, 2]), loader(torch.tensor([[0, 0], [0, 1]])))
    (found,) = trainer.test(module, loader(torch.tensor([[0, 0], [1, 0], [0, 1], [0, 1]]), 3), verbose=False)
    assert found["test/log_likelihood"] == -inf
    assert found["test/impossible"] == 0.25
    assert found["test/possible_log_likelihood"] == pytest.approx(log(0.5))
    (found,) = trainer.test(module, loader(torch.tensor([[1, 0]])), verbose=False)
    assert (found["test/impossible"], found["test/possible_log_likelihood"]) == (1.0, -inf)


def test_pixels_are_counted_by_their_colours():
    module = PixelNaiveBayes()
    assert module.free_parameters == 261_120
    images = torch.zeros(2, 3, 32, 32)
    images[1, 0, 0, 0] = 1.0  # red
    counted(module, images)
    assert module.probabilities()[0].nonzero().flatten().tolist() == [0, 7 << 5]
    assert module.log_likelihood(images).tolist() == pytest.approx([log(0.5)] * 2)
    samples = module.sample(50, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (50, 3, 32, 32)
    assert samples.flatten(1).sum(dim=1).unique().tolist() == [0.0, 1.0]


def test_the_palettes_keep_their_own_colours():
    every = torch.arange(256).view(1, 16, 16)
    for channels in (1, 3):
        images = palette_colors(every, channels)
        assert images.shape == (1, channels, 16, 16)
        assert (images.min().item(), images.max().item()) == (0.0, 1.0)
        assert torch.equal(palette_indices(images), every)
        as_bytes = (images * 255).round() / 255  # as data sets keep them
        assert torch.equal(palette_indices(as_bytes), every)


def test_grey_images_have_256_greys():
    data = torch.tensor([0, 128, 255, 128]).view(1, 1, 2, 2) / 255
    module = counted(PixelNaiveBayes((1, 2, 2)), data)
    assert torch.equal(module.sample(3), data.expand(3, 1, 2, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BoxDensity(0), "dim is 0"),
        (lambda: NaiveBayes([]), "each column must have 1 category or more"),
        (lambda: Multinomial([3, 0]), "each column must have 1 category or more"),
        (lambda: Multinomial([256] * 4), "too many for a table of all: use NaiveBayes"),
        (lambda: NaiveBayes(pseudocount=-1), "pseudocount is -1"),
        (lambda: PixelNaiveBayes((2, 8, 8)), "must be 1 or 3 channels"),
        (lambda: NaiveBayes().log_likelihood(rows(TWICE)), "has counted no training rows"),
        (lambda: BoxDensity().sample_rows(1), "has counted no training rows"),
        (lambda: Multinomial().sample_rows(1), "has counted no training rows"),
        (lambda: counted(BoxDensity(), torch.zeros(2, 3)), "built for --model.dim 2"),
        (lambda: counted(BoxDensity(), torch.tensor([[0.0, torch.nan]])), "finite"),
        (lambda: counted(NaiveBayes(), torch.zeros(2, 5)), "integer categories"),
        (lambda: counted(NaiveBayes(), torch.zeros(2, 4, dtype=torch.int64)), "4 columns but NaiveBayes"),
        (lambda: counted(Multinomial([2, 2]), torch.tensor([[0, 1], [0, 2]])), r"column 1 has the category 2"),
        (lambda: counted(PixelNaiveBayes(), torch.zeros(2, 3, 8, 8)), "image_shape"),
        (lambda: counted(PixelNaiveBayes(), torch.full((2, 3, 32, 32), 255.0)), r"images in \[0, 1\]"),
        (lambda: PixelNaiveBayes().sample(1, labels=torch.zeros(1)), "takes no labels"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.learning
def test_the_box_comes_near_the_true_one():
    true = torch.tensor([[-3.0, 10.0], [1.0, 12.0]])
    x = true[0] + torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)) * (true[1] - true[0])
    module = counted(BoxDensity(), x)
    assert torch.allclose(torch.stack([module.low, module.high]), true, atol=0.02)
    data = LandDataModule()
    trainer = fit(module := BoxDensity(), data)
    assert trainer.callback_metrics["val/impossible"] < 0.1
    samples = module.sample_rows(2000, generator=torch.Generator().manual_seed(0))
    assert 0.25 < data.is_land(samples).float().mean() < 0.5  # most of the box is sea


@pytest.mark.learning
def test_naive_bayes_beats_the_table_of_all_where_columns_are_independent():
    generator = torch.Generator().manual_seed(0)
    sizes = (7, 6, 3, 4, 8)
    true = [torch.rand(size, generator=generator) + 0.1 for size in sizes]
    true = [table / table.sum() for table in true]
    x = torch.stack([torch.multinomial(table, 1200, replacement=True, generator=generator) for table in true], dim=1)
    train, held_out = x[:200], x[200:]
    scores = {}
    for cls in (NaiveBayes, Multinomial):
        for pseudocount in (0.0, 1.0):
            module = counted(cls(sizes, pseudocount), train)
            scores[cls, pseudocount] = module.log_likelihood(held_out).mean().item()
    best = sum(table[x[200:, column]].log().mean() for column, table in enumerate(true)).item()
    assert scores[Multinomial, 0.0] == -inf  # some of 4,032 combinations are not among 200 rows
    assert scores[Multinomial, 1.0] == pytest.approx(-log(prod(sizes)), abs=0.3)  # hardly better than no model
    assert best - 0.15 < scores[NaiveBayes, 1.0] < best + 0.05
    assert scores[NaiveBayes, 1.0] > scores[Multinomial, 1.0] + 0.4


@pytest.mark.learning
def test_the_table_of_all_beats_naive_bayes_where_columns_depend_on_each_other():
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(3, (600, 1), generator=generator)
    x = torch.cat([first, first], dim=1)
    scores = [
        counted(cls([3, 3], 1.0), x[:500]).log_likelihood(x[500:]).mean().item() for cls in (Multinomial, NaiveBayes)
    ]
    assert scores == pytest.approx([-log(3), -2 * log(3)], abs=0.05)


@pytest.mark.learning
def test_sampled_pixels_are_right_one_by_one_and_wrong_together():
    data = PlanetPixelDataModule(num_images=500)
    module = PixelNaiveBayes()
    trainer = fit(module, data)
    assert trainer.callback_metrics["val/possible_log_likelihood"] > -900  # 256 colours by chance: -5,678
    x, _ = data.train_set.__getitems__(range(450))
    samples = module.sample(450, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(samples.mean(dim=0), x.mean(dim=0), atol=0.12)
    # Neighbours that are equal in nearly all faces differ in the samples.
    differences = [(images[..., 1:] - images[..., :-1]).abs().mean().item() for images in (samples, x)]
    assert differences[0] > 1.3 * differences[1]
