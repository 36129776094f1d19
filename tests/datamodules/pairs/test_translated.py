import pytest
import torch

from datamodules import DigitsDataModule, PairDataModule, TranslatedDataModule
from dlmodules import CNNClassifier, CycleGAN, PixelDA
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

DIGITS = {"image_size": 16, "batch_size": 8}


def translator(**more):
    torch.manual_seed(0)
    return CycleGAN(**{**CycleGAN.small_arguments, **more})


def all_of(data):
    data.setup()
    return [part.selected() for part in (data.train_set, data.val_set, data.test_set)]


def test_images_are_translated_and_keep_their_labels():
    network = translator(image_shape=(3, 16, 16))
    data = TranslatedDataModule(DigitsDataModule(**DIGITS), network, batch_size=8)
    assert data.image_shape == (3, 16, 16)
    assert data.class_names == [str(digit) for digit in range(10)]
    for (made, labels), (images, wanted) in zip(all_of(data), all_of(DigitsDataModule(**DIGITS)), strict=True):
        assert torch.equal(labels, wanted)
        expected = network.translate(images[:4].float() / 255)
        assert (made[:4] / 255 - expected).abs().max() < 0.51 / 255
    x, y = next(iter(data.train_dataloader()))
    assert x.shape == (8, 3, 16, 16)
    assert y.shape == (8,)


def test_the_way_back_too():
    colours = DigitsDataModule(**DIGITS, channels=3)
    data = TranslatedDataModule(colours, translator(image_shape=(3, 16, 16)), "b2a")
    assert data.image_shape == (1, 16, 16)
    assert all_of(data)[0][0].shape[1:] == (1, 16, 16)


def test_noise_is_the_same_in_each_run_of_a_seed():
    torch.manual_seed(0)
    network = PixelDA((1, 16, 16), (1, 16, 16), width=8, blocks=1)
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(made))
        state = torch.get_rng_state()
        made.append(all_of(TranslatedDataModule(DigitsDataModule(**DIGITS), network, seed=seed))[0][0])
        assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_a_checkpoint_translates_for_pairs(tmp_path):
    network = translator()
    trainer = quiet_trainer(default_root_dir=tmp_path)
    trainer.strategy.connect(network)
    trainer.save_checkpoint(tmp_path / "m.ckpt")
    data = TranslatedDataModule(DigitsDataModule(**DIGITS), str(tmp_path / "m.ckpt"))
    pairs = PairDataModule(data, DigitsDataModule(**DIGITS), batch_size=8)
    pairs.setup()
    a, b, *_ = next(iter(pairs.train_dataloader()))
    assert a.shape == b.shape == (8, 1, 16, 16)


def test_errors_are_one_line(tmp_path):
    digits = DigitsDataModule(**DIGITS)
    with pytest.raises(UserError, match="translator is a CNNClassifier, which does not translate"):
        TranslatedDataModule(digits, CNNClassifier((1, 16, 16), filters=(4,)))
    with pytest.raises(UserError, match="CycleGAN has no direction 'back'"):
        TranslatedDataModule(digits, translator(), "back")
    with pytest.raises(
        UserError, match=r"the images are \[1, 16, 16\], but the translator was built for \[3, 16, 16\]"
    ):
        TranslatedDataModule(digits, translator(image_shape=(3, 16, 16)), "b2a")
    with pytest.raises(UserError, match="there is no checkpoint"):
        TranslatedDataModule(digits, str(tmp_path / "none.ckpt"))
