"""Checks of what a module is given, and where it draws."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.sampling.devices import sampling_device
from dlmodules.validation.images import check_codes, check_image_batch, check_image_shape, check_images


def test_codes_of_another_shape_are_named():
    check_codes(torch.zeros(5, 2), 2, "VAE")
    check_codes(torch.zeros(5, 2), 2, "VAE", 5)
    with pytest.raises(UserError, match=r"codes of shape \(5, 3\): this VAE needs \(n, 2\)"):
        check_codes(torch.zeros(5, 3), 2, "VAE")
    with pytest.raises(UserError, match=r"codes of shape \(2,\): this VAE needs \(n, 2\)"):
        check_codes(torch.zeros(2), 2, "VAE")
    with pytest.raises(UserError, match=r"z1 of shape \(4, 2\): this StackedGAN needs \(5, 2\)"):
        check_codes(torch.zeros(4, 2), 2, "StackedGAN", 5, "z1")


@pytest.mark.parametrize(
    ("found", "wanted", "advice"),
    [
        ((1, 28, 28), (1, 32, 32), "or resize the data with --data.image_size 32"),
        ((3, 28, 28), (1, 32, 32), "or load the data with --data.image_size 32 --data.channels 1"),
        ((1, 28, 28), (3, 28, 28), "or load the data with --data.channels 3"),
        ((4,), (3,), "pass --model.image_shape '[4]'"),
    ],
)
def test_images_of_another_shape_come_with_advice(found, wanted, advice):
    with pytest.raises(UserError) as caught:
        check_images(torch.zeros(2, *found), wanted, "DCGAN")
    assert str(caught.value).endswith(advice)
    check_images(torch.zeros(2, *wanted), wanted, "DCGAN")


@pytest.mark.parametrize(
    ("found", "gives"),
    [
        (torch.zeros(3, 4), "rows of 4 numbers"),
        (torch.zeros(3, 400, dtype=torch.int64), "rows of 400 whole numbers, such as token ids"),
        (torch.zeros(3), "a number each"),
        (torch.zeros(3, 5, 1, 8, 8), r"\[5, 1, 8, 8\] for each"),
    ],
)
def test_what_are_no_images_is_named_and_comes_with_no_option_that_cannot_help(found, gives):
    with pytest.raises(
        UserError, match=rf"^DCGAN takes images \(channels, height, width\), but the data give {gives}"
    ) as caught:
        check_images(found, (1, 28, 28), "DCGAN")
    assert "--data, such as DigitsDataModule" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("image_shape", "image_size", "/ 255"))


def test_rows_for_a_network_of_any_shape_come_with_its_option_alone():
    with pytest.raises(UserError, match=r"built for \[1, 28, 28\]; pass --model.input_shape '\[4\]'$"):
        check_images(torch.zeros(3, 4), (1, 28, 28), "MLPClassifier", "input_shape", takes_rows=True)
    with pytest.raises(UserError, match=r"^CNNClassifier takes images .* but the data give rows of 4 numbers"):
        check_images(torch.zeros(3, 4), (1, 28, 28), "CNNClassifier", "input_shape")
    with pytest.raises(UserError, match=r"^MLPClassifier takes images .* but the data give rows of 9 whole numbers"):
        check_images(torch.zeros(3, 9, dtype=torch.int64), (1, 28, 28), "MLPClassifier", "input_shape", takes_rows=True)


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (1, 28, 0), ()])
def test_an_image_shape_is_three_numbers(shape):
    with pytest.raises(UserError, match="must be channels, height and width"):
        check_image_shape(shape)
    check_image_shape((1, 28, 28))


def test_a_generator_draws_on_its_own_device():
    assert sampling_device(None, torch.device("meta")) == torch.device("meta")
    assert sampling_device(torch.Generator("cpu"), torch.device("meta")) == torch.device("cpu")


def test_the_values_of_an_epochs_first_batch_alone_are_looked_at():
    x = torch.full((2, 1, 4, 4), 2.0)
    check_image_batch(x, (1, 4, 4), "RBM", first=False)
    check_image_batch(x / 2, (1, 4, 4), "RBM", first=True)
    with pytest.raises(UserError, match=r"RBM needs images in \[0, 1\]"):
        check_image_batch(x, (1, 4, 4), "RBM", first=True)
    for first in (True, False):
        with pytest.raises(UserError, match=r"pass --model\.input_shape"):
            check_image_batch(x, (1, 5, 5), "RBM", first, "input_shape")
