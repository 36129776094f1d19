"""What ``sample`` writes for which module, and whether every medium has its writer."""

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import LightningModule

from callbacks.base.requirements import members
from dlmodules.errors import UserError
from dlmodules.protocols import (
    Acts,
    ContinuesText,
    SamplesImages,
    SamplesRows,
    SamplesStrokes,
    TranslatesTexts,
    Traverses,
)
from dlmodules_cli.sample import WRITERS, writer_of
from dlmodules_cli.sampling.episodes import write_episodes
from dlmodules_cli.sampling.images import write_images
from dlmodules_cli.sampling.request import NUM, Request
from dlmodules_cli.sampling.rows import write_rows


class Images(LightningModule):
    image_shape = (1, 4, 4)

    def sample(self, n, labels=None, generator=None):
        noise = torch.rand(n, *self.image_shape, generator=generator)
        return noise if labels is None else noise * 0 + labels.view(-1, 1, 1, 1) / 10


class Rows(LightningModule):
    def sample_rows(self, n, generator=None):
        return torch.rand(n, 3, generator=generator)


class Both(Images, Rows):
    """Rows that are shown as images."""


class Agent(LightningModule):
    def act(self, observation):
        return observation


class Nameless(LightningModule):
    def sample(self, n):
        return torch.zeros(n)


@pytest.mark.parametrize(
    ("module", "writer"), [(Images, write_images), (Rows, write_rows), (Both, write_images), (Agent, write_episodes)]
)
def test_the_first_protocol_of_the_table_decides(module, writer):
    assert writer_of(module()) is writer
    assert list(WRITERS) == [Acts, SamplesImages, SamplesRows, ContinuesText, TranslatesTexts, SamplesStrokes]


def test_what_samples_nothing_is_told_what_it_lacks():
    with pytest.raises(UserError) as refused:
        writer_of(Nameless())
    assert str(refused.value) == (
        "Nameless neither samples nor acts: it must have a method `act`, or an attribute `image_shape` and a method"
        " `sample`, or a method `sample_rows`, or a method `first_prompt` and a method `generate_text` and a method"
        " `most_probable_texts`, or a method `translate_texts`, or a method `sample_strokes`"
    )
    assert members(Traverses) == "an attribute `traversals` and a method `traverse`"


def test_images_are_written_by_seed_and_class(tmp_path, capsys):
    write_images(Request(Images(), {}, tmp_path, num=3, seed=5))
    found = np.load(tmp_path / "samples.npz")
    assert set(found.files) == {"samples"}
    expected = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(5))
    assert np.array_equal(found["samples"], expected.numpy())
    assert Image.open(tmp_path / "samples.png").mode == "L"
    assert capsys.readouterr().out == (
        f"3 samples: {tmp_path / 'samples.png'} and {tmp_path / 'samples.npz'}"
        " (array `samples`, (3, 1, 4, 4), in [0, 1])\n"
    )
    module = Images()
    with pytest.raises(UserError, match="Images is not conditional: leave --label out"):
        write_images(Request(module, {}, tmp_path, label=1))
    module.num_classes = 4
    write_images(Request(module, {}, tmp_path, num=2, label=3))
    found = np.load(tmp_path / "samples.npz")
    assert found["labels"].tolist() == [3, 3]
    assert found["samples"].min() == found["samples"].max() == np.float32(0.3)
    with pytest.raises(UserError, match=r"--label is 4; this Images knows 0\.\.3"):
        write_images(Request(module, {}, tmp_path, label=4))


def test_the_classes_of_a_conditional_module_are_written_whether_asked_for_or_drawn(tmp_path):
    module = Images()
    module.conditional, module.num_classes = True, 4
    write_images(Request(module, {}, tmp_path, num=20, seed=1))
    found = np.load(tmp_path / "samples.npz")
    assert set(found["labels"].tolist()) == {0, 1, 2, 3}
    assert np.array_equal(found["samples"][:, 0, 0, 0], found["labels"].astype(np.float32) / 10)
    write_images(Request(module, {}, tmp_path, num=20, seed=1))
    assert np.array_equal(np.load(tmp_path / "samples.npz")["labels"], found["labels"])
    module.conditional = False
    write_images(Request(module, {}, tmp_path, num=20, seed=1))
    assert "labels" not in np.load(tmp_path / "samples.npz").files


def test_rows_are_written_by_seed_and_have_no_class(tmp_path, capsys):
    write_rows(Request(Rows(), {}, tmp_path, seed=2))
    expected = torch.rand(NUM, 3, generator=torch.Generator().manual_seed(2))
    assert np.array_equal(np.load(tmp_path / "samples.npz")["samples"], expected.numpy())
    assert capsys.readouterr().out == f"64 rows: {tmp_path / 'samples.npz'} (array `samples`, (64, 3))\n"
    with pytest.raises(UserError, match="Rows is not conditional: leave --label out"):
        write_rows(Request(Rows(), {}, tmp_path, label=0))
