import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule

from callbacks import SampleGrid
from callbacks.base.grids import image_grid
from callbacks.images.sample_grid import film_frames
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, random_states, trainer


class Labelled(ToyVAE):
    """Draws the label it is asked for: an image of brightness label / 10."""

    conditional = True
    num_classes = 5

    def sample(self, n, labels=None, generator=None):
        assert labels.dtype == torch.int64
        return (labels.float() / 10).view(n, 1, 1, 1).expand(n, 1, 8, 8)


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [SampleGrid(num=4, every_n_steps=1)]):
        torch.manual_seed(0)
        module = ToyVAE()
        trainer(tmp_path, *callbacks, max_epochs=2).fit(module, loader(), loader())
        ends.append((module.state_dict(), random_states()))
    assert ends[0][1] == ends[1][1]
    assert all(torch.equal(tensor, ends[1][0][name]) for name, tensor in ends[0][0].items())


def test_noise_is_the_same_each_time(tmp_path):
    class Frozen(ToyVAE):
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.0)

        def on_train_batch_start(self, batch, batch_idx):
            self.generator.eval()  # keep the statistics of the batch norm too

    logger = ImageLogger()
    trainer(tmp_path, SampleGrid(num=9, seed=4), logger=logger, max_epochs=2).fit(Frozen(), loader())
    (first, second) = [picture for _, picture, _ in logger.pictures]
    assert (first == second).all()
    other = ImageLogger()
    trainer(tmp_path, SampleGrid(num=9, seed=5), logger=other).fit(Frozen(), loader())
    assert (other.pictures[0][1] != first).any()


def test_picture_is_the_modules_samples(tmp_path):
    module = ToyVAE()
    trainer(tmp_path, SampleGrid(num=9, seed=4)).fit(module, loader())
    module.eval()
    with torch.no_grad():
        samples = module.sample(9, generator=torch.Generator().manual_seed(4))
    from PIL import Image

    drawn = np.asarray(Image.open(tmp_path / "media" / "samples-0000003.png"))
    assert (drawn == image_grid(samples)).all()


@pytest.mark.parametrize(("labels", "columns"), [(None, [0, 1, 2, 3, 4]), ([4, 2], [4, 2])])
def test_each_class_has_its_column(tmp_path, labels, columns):
    logger = ImageLogger()
    grid = SampleGrid(num=3 * len(columns), labels=labels)
    trainer(tmp_path, grid, logger=logger).fit(Labelled(), loader())
    picture = logger.pictures[0][1]
    tile = 64 + 2
    assert picture.shape == (3 * tile + 2, len(columns) * tile + 2)
    middle = [picture[30 + tile * 2, 30 + tile * column] for column in range(len(columns))]
    assert middle == [round(25.5 * label) for label in columns]


def test_mistakes_are_told_before_training(tmp_path):
    class Plain(LightningModule):
        pass

    class Shapeless(LightningModule):
        sample = ToyVAE.sample

    line = "SampleGrid needs a module with an attribute `image_shape` and a method `sample`; Plain has none"
    with pytest.raises(UserError, match=line):
        SampleGrid().setup(trainer(tmp_path), Plain(), "fit")
    with pytest.raises(
        UserError, match="SampleGrid needs a module with an attribute `image_shape`; Shapeless has none"
    ):
        SampleGrid().setup(trainer(tmp_path), Shapeless(), "fit")
    with pytest.raises(UserError, match="label 5 for Labelled: give labels from 0 to 4"):
        trainer(tmp_path, SampleGrid(labels=[5])).fit(Labelled(), loader())
    with pytest.raises(UserError, match="at least 1 sample"):
        SampleGrid(num=0)


def frames(path):
    from PIL import Image, ImageSequence

    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


def test_the_grids_become_a_film_also_of_a_resumed_run(tmp_path):
    from PIL import Image

    logger = ImageLogger()
    run = trainer(tmp_path, SampleGrid(num=4, every_n_steps=2), logger=logger)
    run.fit(ToyVAE(), loader())
    run.save_checkpoint(tmp_path / "x.ckpt")
    film = tmp_path / "media" / "samples_film.gif"
    assert [name for name, *_ in logger.films] == ["samples_film"]
    assert len(frames(film)) == 2  # steps 2 and 3
    (tmp_path / "media" / "samples-0000001.png").write_bytes(b"another run's")
    again = trainer(tmp_path, SampleGrid(num=4, every_n_steps=2), max_epochs=2)
    again.fit(ToyVAE(), loader(), ckpt_path=tmp_path / "x.ckpt", weights_only=True)
    found = frames(film)
    names = [f"samples-000000{step}.png" for step in (2, 3, 4, 6)]
    assert len(found) == 4
    for frame, name in zip(found, names, strict=True):
        drawn = np.asarray(Image.open(tmp_path / "media" / name).convert("RGB"))
        assert np.abs(frame.astype(int) - drawn).max() <= 8  # a GIF has 256 colours


def test_no_film_of_one_grid_or_where_it_is_not_wanted(tmp_path):
    trainer(tmp_path, SampleGrid(num=4)).fit(ToyVAE(), loader())
    trainer(tmp_path / "b", SampleGrid(num=4, every_n_steps=1, film_fps=0)).fit(ToyVAE(), loader())
    assert not list(tmp_path.rglob("*.gif"))


def test_frames_of_a_long_training(tmp_path):
    from PIL import Image

    names = [f"{index}.png" for index in range(7)]
    for index, name in enumerate(names):
        Image.fromarray(np.full((4, 3 if index == 2 else 4), index, dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "1.png").unlink()
    found = film_frames(tmp_path, names, most=4)
    assert [frame[0, 0, 0] for frame in found] == [0, 3, 4, 6]
    assert len(film_frames(tmp_path, names)) == 5  # one is gone, one of another size
    assert film_frames(tmp_path, []) == []


def test_two_grids_in_one_training(tmp_path):
    trainer(tmp_path, SampleGrid(num=4, every_n_steps=2), SampleGrid(num=9, name="more")).fit(ToyVAE(), loader())
    found = sorted(path.name for path in (tmp_path / "media").iterdir())
    assert found == ["more-0000003.png", "samples-0000002.png", "samples-0000003.png", "samples_film.gif"]
    with pytest.raises(
        UserError, match="two callbacks SampleGrid with the name 'samples': give each a name of its own"
    ):
        trainer(tmp_path, SampleGrid(num=4), SampleGrid(num=9)).fit(ToyVAE(), loader())
