"""The rows of autoencoders."""

from dataclasses import replace

from benchmarks.row import Figure, Gpu, Row
from benchmarks.rows.shared import READER, cosine

# Squared error at a learning rate of 0.001 reaches 0.945 after as many epochs.
FAST_DENOISER = (
    *("--model.init_args.loss", "bce", "--model.init_args.optimizer", "torch.optim.Adam"),
    *("--model.init_args.optimizer.init_args.lr", "0.003", "--model.init_args.optimizer.init_args.eps", "1e-7"),
)


def _denoising_rows() -> list[Row]:
    return [
        Row(
            name=f"denoising_table_{number:02}",
            table="denoising_table",
            kind="table",
            program="programs.denoising",
            system="DenoisingAutoencoder",
            config="configs/autoencoders/denoising_mnist.yaml",
            title=f"noise of standard deviation {std}",
            budget="2 epochs of 55,000 images, cross-entropy, the learning rate falling from 0.003",
            figures=(
                Figure("test/accuracy_noisy", "accuracy on noisy digits, %", digits=4, book="–"),
                Figure("test/accuracy_restored", "accuracy on restored digits, %", digits=4, book="–"),
            ),
            protocol="trained and tested with noise of mean 0.5 and the same deviation; 10,000 test images, read by"
            f" {READER}",
            options={"args": ("--model.init_args.std", str(std), *FAST_DENOISER, *cosine(2))},
            elsewhere="two cores, minutes",
        )
        for number, std in enumerate((0.5, 0.75, 1.0), 1)
    ]


_DENOISING_FIGURES = (
    Figure("test/accuracy_restored", "accuracy of a classifier on restored digits", digits=4),
    Figure("test/accuracy_noisy", "the same on noisy digits", digits=4),
    Figure("test/accuracy_clean", "the same on clean digits", digits=4),
    Figure("test/mse@last", "mean squared error of restored digits", digits=4, better="lower"),
)
_DENOISING_PROTOCOL = (
    f"10,000 test images with noise of mean and deviation 0.5, clipped to [0, 1]; read by {READER}, which"
    " was trained on clean digits"
)
_COLOUR_FIGURES = (
    Figure("test/psnr@last", "PSNR, dB", digits=2),
    Figure("test/ssim@last", "SSIM", digits=3),
    Figure("test/mse@last", "mean squared error", digits=4, better="lower"),
)
_COLOUR_PROTOCOL = "10,000 test images of a copy of CIFAR10 as JPEG files, which loses some detail; last checkpoint"
ROWS = (
    Row(
        name="autoencoder_mnist",
        kind="score",
        program="programs.scores",
        system="Autoencoder",
        config="configs/autoencoders/autoencoder_mnist.yaml",
        budget="1 epoch of 60,000 images",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/mse@last",
                "mean squared error",
                digits=4,
                bar=0.010,
                better="lower",
                book="0.01",
                of_mean=True,
            ),
        ),
        protocol="as in the book: all training images, measured on the 10,000 test images",
        options={"args": ("--data.init_args.val_size", "0")},
    ),
    Row(
        name="autoencoder_mnist_keras",
        kind="score",
        program="peers.keras_autoencoder",
        system="Keras 3",
        budget="1 epoch of 60,000 images",
        seeds=(0, 1, 2),
        figures=(Figure("test/mse", "mean squared error", digits=4, better="lower", book="0.01"),),
        protocol="the book's program in Keras on the PyTorch backend, measured on the 10,000 test images",
        elsewhere="two cores and Keras 3, minutes",
    ),
    Row(
        name="denoising_mnist",
        kind="score",
        program="programs.denoising",
        system="DenoisingAutoencoder",
        config="configs/autoencoders/denoising_mnist.yaml",
        budget="10 epochs of 55,000 images, cross-entropy, the learning rate falling from 0.003 along a cosine"
        " (the book: squared error, 0.001)",
        seeds=(0, 1, 2),
        figures=(replace(_DENOISING_FIGURES[0], bar=0.95), *_DENOISING_FIGURES[1:]),
        protocol=_DENOISING_PROTOCOL,
        options={"args": (*FAST_DENOISER, *cosine(10))},
    ),
    Row(
        name="denoising_mnist_mse",
        kind="score",
        program="programs.denoising",
        system="DenoisingAutoencoder",
        config="configs/autoencoders/denoising_mnist.yaml",
        budget="10 epochs of 55,000 images, squared error at 0.001, as the book",
        seeds=(0, 1, 2),
        figures=_DENOISING_FIGURES,
        protocol=_DENOISING_PROTOCOL,
    ),
    Row(
        name="colorization_cifar10",
        kind="score",
        program="programs.scores",
        system="ColorizationAutoencoder",
        config="configs/autoencoders/colorization_cifar10.yaml",
        budget="30 epochs of 49,000 images, as the book, or an hour of a core",
        figures=_COLOUR_FIGURES,
        protocol=_COLOUR_PROTOCOL,
        options={"data": "cifar10_jpeg", "args": ("--trainer.max_time", "00:01:00:00")},
        cost="hours",
        elsewhere="one core, an hour",
    ),
    Row(
        name="colorization_cifar10_gpu",
        kind="score",
        program="programs.scores",
        system="ColorizationAutoencoder",
        config="configs/autoencoders/colorization_cifar10.yaml",
        budget="30 epochs of 49,000 images, as the book",
        figures=_COLOUR_FIGURES,
        protocol=f"{_COLOUR_PROTOCOL}; images on the GPU",
        options={"data": "cifar10_jpeg"},
        cost="hours",
        elsewhere="a GPU (--gpu)",
        gpu=Gpu(4, 4.0),
    ),
    Row(
        name="state_ring",
        kind="score",
        program="programs.scores",
        system="StateAutoencoder",
        config="configs/autoencoders/state_ring.yaml",
        budget="40 epochs of points on a ring, a code of one number",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/loss@last",
                "mean squared error",
                digits=4,
                better="lower",
                baseline="baseline/mse",
                guess="the training points' mean",
            ),
        ),
        protocol="200 test points, the same for every seed; last epoch",
        options={"baseline": "mean_input"},
        cost="seconds",
    ),
    *_denoising_rows(),
)
TABLES = {
    "denoising_table": "DenoisingAutoencoder on MNIST: the noise sweep of atienza 3.3.1-N (pictures there)",
}
