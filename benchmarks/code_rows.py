"""The rows of scores of what learns a code: autoencoders, energy models and VAEs."""

from benchmarks.row import Figure, Row
from benchmarks.score_rows import GENERATIVE, READER, cosine

_FEATURES = (
    "10,000 test images; the features are the probabilities of the {}; logistic regression of scikit-learn, at most"
    " 200 steps, on the training images"
)
# Squared error at a rate of 0.001 reads 0.945 after as many epochs.
FAST_DENOISER = (
    *("--model.init_args.loss", "bce", "--model.init_args.optimizer", "torch.optim.Adam"),
    *("--model.init_args.optimizer.init_args.lr", "0.003", "--model.init_args.optimizer.init_args.eps", "1e-7"),
)


def _moved_figures(name: str) -> tuple[Figure, ...]:
    return (
        Figure(f"test/moved_{name}", f"{name}: faces moved", bar=0.8),
        Figure(f"test/others_kept_{name}", f"{name}: other attributes kept, of 7", digits=0, bar=4),
    )


CODE_SCORES = (
    Row(
        name="autoencoder_mnist",
        kind="score",
        program="scores",
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
        program="keras_autoencoder",
        system="Keras 3",
        budget="1 epoch of 60,000 images",
        seeds=(0, 1, 2),
        figures=(Figure("test/mse", "mean squared error", digits=4, better="lower", book="0.01"),),
        protocol="the book's program in Keras on the PyTorch backend, measured on the 10,000 test images",
        elsewhere="two cores and Keras 3, minutes",
    ),
    Row(
        name="rbm_mnist",
        kind="score",
        program="features",
        system="RBM",
        config="configs/energy/rbm_mnist.yaml",
        budget="20 epochs of 55,000 images",
        figures=(
            Figure("test/features", "accuracy of logistic regression on the features", digits=4, bar=0.95),
            Figure("test/pseudo_likelihood@last", "log pseudo-likelihood, nats per image", digits=1),
        ),
        protocol=_FEATURES.format("500 hidden units"),
    ),
    Row(
        name="dbn_mnist",
        kind="score",
        program="features",
        system="DBN",
        config="configs/energy/dbn_mnist.yaml",
        budget="3 epochs of 55,000 images for each of three machines",
        figures=(
            Figure("test/features", "accuracy of logistic regression on the features", digits=4),
            Figure("test/reconstruction@last", "squared error of a way up and down", digits=4, better="lower"),
        ),
        protocol=_FEATURES.format("2,000 units at the top"),
        options={"args": ("--model.init_args.epochs_per_layer", "3", "--trainer.max_epochs", "9")},
    ),
    Row(
        name="conv_dbn_mnist",
        kind="score",
        program="features",
        system="ConvDBN",
        config="configs/energy/conv_dbn_mnist.yaml",
        budget="1 epoch of 55,000 images for each of two machines",
        figures=(
            Figure("test/features", "accuracy of logistic regression on the features", digits=4),
            Figure("test/reconstruction@last", "squared error of a way up and down", digits=4, better="lower"),
        ),
        protocol=_FEATURES.format("360 pooling units at the top"),
        options={"args": ("--model.init_args.epochs_per_layer", "1", "--trainer.max_epochs", "2")},
    ),
    Row(
        name="denoising_mnist",
        kind="score",
        program="denoising",
        system="DenoisingAutoencoder",
        config="configs/autoencoders/denoising_mnist.yaml",
        budget="10 epochs of 55,000 images, cross-entropy, the learning rate falling from 0.003 along a cosine"
        " (the book: squared error, 0.001)",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/read_restored", "accuracy of a classifier on restored digits", digits=4, bar=0.95),
            Figure("test/read_noisy", "the same on noisy digits", digits=4),
            Figure("test/read_clean", "the same on clean digits", digits=4),
            Figure("test/mse@last", "mean squared error of restored digits", digits=4, better="lower"),
        ),
        protocol=f"10,000 test images with noise of mean and deviation 0.5, clipped to [0, 1]; read by {READER}, which"
        " was trained on clean digits",
        options={"args": (*FAST_DENOISER, *cosine(10))},
    ),
    Row(
        name="colorization_cifar10",
        kind="score",
        program="scores",
        system="ColorizationAutoencoder",
        config="configs/autoencoders/colorization_cifar10.yaml",
        budget="1 epoch of 49,000 images (the book: 30)",
        figures=(
            Figure("test/psnr@last", "PSNR, dB", digits=2),
            Figure("test/ssim@last", "SSIM", digits=3),
            Figure("test/mse@last", "mean squared error", digits=4, better="lower"),
        ),
        protocol="10,000 test images of a copy of CIFAR10 as JPEG files, which loses some detail; last checkpoint",
        options={"data": "cifar10_jpeg", "args": ("--trainer.max_epochs", "1")},
    ),
    Row(
        name="cvae_mnist",
        kind="score",
        program="scores",
        system="CVAE",
        config="configs/vaes/cvae_mnist.yaml",
        budget="10 epochs of 55,000 images (the book: 30)",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/conditional_accuracy@last", "asked digit read back", digits=4, bar=0.95),
            Figure("test/elbo@last", "ELBO, nats per image", digits=2),
        ),
        protocol=f"{GENERATIVE}; last checkpoint; the classifier reads the digit that was asked for",
        options={"generative": True, "args": ("--trainer.max_epochs", "10")},
    ),
    Row(
        name="vae_binarized_mnist",
        kind="score",
        program="likelihood",
        system="VAE",
        config="configs/vaes/vae_binarized_mnist.yaml",
        budget="20 epochs of 55,000 images",
        figures=(
            Figure(
                "test/nll@last",
                "negative log-likelihood, nats per image",
                digits=2,
                better="lower",
                anchor="pythae: 89.78 (200 samples); published: 89.9",
            ),
            Figure("test/elbo@last", "ELBO, nats per image", digits=2),
            Figure("test/nll_200", "the first 1,000 images, 200 codes", digits=2, better="lower"),
            Figure("test/nll_5000", "the same, 5,000 codes", digits=2, better="lower"),
        ),
        protocol="10,000 test images of statically binarized MNIST (our draw); importance sampling with 200 codes for"
        " each image; last checkpoint",
        options={"images": 1000, "codes": (200, 5000), "args": ("--trainer.max_epochs", "20")},
    ),
    Row(
        name="avatars_attributes",
        kind="score",
        program="attribute_arithmetic",
        system="VAE",
        config="configs/vaes/vae_avatars.yaml",
        budget="24 epochs of 8,000 faces",
        figures=(
            *_moved_figures("Smiling"),
            *_moved_figures("Eyeglasses"),
            Figure("test/reconstruction@last", "squared error of a pixel, times 50,000", digits=1, better="lower"),
        ),
        protocol="1,000 drawn test faces of 64x64 pixels with 8 attributes. The vector of an attribute is measured on"
        " the 8,000 training faces, added to the codes of faces without it and subtracted from those of faces with it,"
        " at one strength of 0.5 to 4, chosen on 1,000 validation faces: the least within 0.02 of the greatest sum of"
        " the share moved and the mean share kept of the others. A small CNN, trained apart on the training faces,"
        " reads the decoded faces. Moved are, of all faces, those on whose plain reconstruction it reads what the"
        " label says, and afterwards the opposite. Kept is another attribute of which it reads the same as on the"
        " plain reconstruction on at least 80 % of the faces",
        options={"data": "avatars", "targets": ("Smiling", "Eyeglasses"), "kept": 0.8, "method": "difference"},
    ),
)
