"""The rows of VAEs."""

from benchmarks.row import Figure, Gpu, Row
from benchmarks.rows.shared import GENERATIVE, IMAGES, pixel_means

_ELBO = Figure("test/elbo@last", "ELBO, nats per image", digits=2, **pixel_means("mnist", "elbo"))
_ELBO_FIGURES = (
    _ELBO,
    Figure("test/reconstruction@last", "reconstruction, nats per image", digits=2, better="lower"),
    Figure("test/kl@last", "KL, nats per image", digits=2, better="lower"),
)
_VAE_PROTOCOL = f"{IMAGES}; one draw of the code for each image; Bernoulli likelihood of grey values; last checkpoint"


def _changed_figures(name: str) -> tuple[Figure, ...]:
    return (
        Figure(f"test/changed_{name}", f"{name}: faces changed", bar=0.8),
        Figure(f"test/others_kept_{name}", f"{name}: other attributes kept, of 7", digits=0, bar=4),
    )


def _beta_rows() -> list[Row]:
    return [
        Row(
            name=f"beta_table_{number:02}",
            table="beta_table",
            kind="table",
            program="programs.scores",
            system="CVAE",
            config="configs/vaes/beta_cvae_mnist.yaml",
            title=f"beta {beta}, a code of 10 numbers",
            budget="5 epochs of 55,000 images",
            figures=(
                Figure("val/active_units@last", "active units", digits=0, book="–"),
                Figure("val/elbo@last", "ELBO, nats per image", digits=2, book="–"),
            ),
            protocol="5,000 validation images; a unit is active where its posterior mean varies by more than 0.01",
            options={
                "args": (
                    *("--model.init_args.beta", str(beta), "--model.init_args.latent_dim", "10"),
                    *("--trainer.max_epochs", "5"),
                ),
                "stage": "validate",
            },
            elsewhere="two cores, ten minutes",
        )
        for number, beta in enumerate((1, 7, 10), 1)
    ]


ROWS = (
    Row(
        name="vae_mnist",
        kind="score",
        program="programs.scores",
        system="VAE",
        config="configs/vaes/vae_mnist.yaml",
        budget="30 epochs of 55,000 images",
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="vae_mlp_mnist",
        kind="score",
        program="programs.scores",
        system="VAE",
        config="configs/vaes/vae_mlp_mnist.yaml",
        budget="50 epochs of 55,000 images",
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="cvae_mnist",
        kind="score",
        program="programs.scores",
        system="CVAE",
        config="configs/vaes/cvae_mnist.yaml",
        budget="10 epochs of 55,000 images (the book: 30)",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/conditional_accuracy@last", "conditional accuracy", digits=4, bar=0.95),
            _ELBO,
        ),
        protocol=f"{GENERATIVE}; last checkpoint; the classifier reads the digit of the label",
        options={"generative": True, "args": ("--trainer.max_epochs", "10")},
    ),
    Row(
        name="vae_binarized_mnist",
        kind="score",
        program="programs.likelihood",
        system="VAE",
        config="configs/vaes/vae_binarized_mnist.yaml",
        budget="50 epochs of 50,000 images (pythae: its learning rate's schedule ends at epoch 1,000)",
        seeds=(0, 1, 2),
        headline=True,
        figures=(
            Figure(
                "test/nll@last",
                "negative log-likelihood, nats per image",
                digits=2,
                better="lower",
                anchor="pythae: 89.78 (200 samples); published: 89.9",
                **pixel_means("binarized_mnist", "nll"),
            ),
            Figure("test/elbo@last", "ELBO, nats per image", digits=2),
            Figure("test/nll_200", "the first 1,000 images, 200 codes", digits=2, better="lower"),
            Figure("test/nll_5000", "the same, 5,000 codes", digits=2, better="lower"),
        ),
        protocol="10,000 test images of statically binarized MNIST (our draw); importance sampling with 200 codes for"
        " each image; last checkpoint",
        options={"images": 1000, "codes": (200, 5000)},
        gpu=Gpu(2, 1.5),
    ),
    Row(
        name="avatars_attributes",
        kind="score",
        program="programs.attribute_arithmetic",
        system="VAE",
        config="configs/vaes/vae_avatars.yaml",
        budget="24 epochs of 8,000 faces",
        figures=(
            *_changed_figures("Smiling"),
            *_changed_figures("Eyeglasses"),
            Figure("test/reconstruction@last", "squared error of a pixel, times 50,000", digits=1, better="lower"),
        ),
        protocol="1,000 drawn test faces of 64x64 pixels with 8 attributes. The vector of an attribute is measured on"
        " the 8,000 training faces, added to the codes of faces without it and subtracted from those of faces with it,"
        " at one strength of 0.5 to 4, chosen on 1,000 validation faces: the least within 0.02 of the greatest sum of"
        " the fraction changed and the mean fraction kept of the others. A small CNN, trained apart on the training"
        " faces, reads the decoded faces. Changed are, of all faces, those on whose plain reconstruction it reads what"
        " the label says, and afterwards the opposite. Kept is another attribute of which it reads the same as on the"
        " plain reconstruction on at least 80 % of the faces",
        options={"data": "avatars", "targets": ("Smiling", "Eyeglasses"), "kept": 0.8, "method": "difference"},
    ),
    *_beta_rows(),
)
TABLES = {
    "beta_table": "CVAE on MNIST: the weights of atienza 8.3.1 (pictures there)",
}
