"""The rows of scores of classifiers, generators and agents, and of the first VAEs."""

from benchmarks.row import Figure, Row

_IMAGES = "10,000 test images; validation images apart from both"
READER = (
    "this package's MNIST classifier (cnn_mnist, seed 0, best by val/accuracy, which reads 99.2 % of the test images)"
)
GENERATIVE = (
    f"10,000 samples against the 10,000 test images, in the 576 features of {READER}; KID over 100 subsets of 500;"
    " precision, recall and coverage by the 5 nearest neighbours; a class counts as present from 1 % of the samples on;"
    " not comparable with Inception scores"
)
GENERATIVE_FIGURES = (
    Figure("test/fid@last", "FID", better="lower"),
    Figure("test/kid@last", "KID", digits=4, better="lower"),
    Figure("test/precision@last", "precision"),
    Figure("test/recall@last", "recall"),
    Figure("test/coverage@last", "coverage"),
    Figure("test/class_coverage@last", "classes present"),
)
GAN_PROTOCOL = f"{GENERATIVE}; last checkpoint, averaged generator (decay 0.999), batch norm in evaluation mode"
_ELBO_FIGURES = (
    Figure("test/elbo@last", "ELBO, nats per image", digits=2),
    Figure("test/reconstruction@last", "reconstruction, nats per image", digits=2, better="lower"),
    Figure("test/kl@last", "KL, nats per image", digits=2, better="lower"),
)
_VAE_PROTOCOL = f"{_IMAGES}; one draw of the code for each image; Bernoulli likelihood of grey values; last checkpoint"
_EPISODES = "100 test episodes, deterministic policy, seeds apart from those of training and validation"


def _text_row(name: str, budget: str, bar: float, book: str) -> Row:
    return Row(
        name=f"text_{name}_imdb",
        kind="score",
        program="scores",
        system="TextClassifier",
        config=f"configs/classifiers/text_{name}_imdb.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(Figure("val/accuracy@last", "validation accuracy, last epoch", digits=4, bar=bar, book=book),),
        protocol="5,000 validation reviews, drawn by the seed from the 25,000 for training; training and vocabulary"
        " leave them out; the report's figures are of validation reviews too",
        options={"stage": "validate"},
    )


def _classifier_row(
    name: str,
    system: str,
    budget: str,
    bar: float,
    book: str = "",
    seeds: tuple[int, ...] = (0, 1, 2),
    args: tuple[str, ...] = (),
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="scores",
        system=system,
        config=f"configs/classifiers/{name}.yaml",
        budget=budget,
        seeds=seeds,
        figures=(
            Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, bar=bar, book=book, of_mean=True),
        ),
        protocol=f"{_IMAGES}; the book takes the last epoch",
        options={"args": args},
    )


def cosine(epochs: int) -> tuple[str, ...]:
    """Arguments of a fit of so many epochs whose learning rate falls to nothing along a cosine."""
    return (
        *("--trainer.max_epochs", str(epochs)),
        *("--model.init_args.scheduler", "torch.optim.lr_scheduler.CosineAnnealingLR"),
        *("--model.init_args.scheduler.init_args.T_max", str(epochs)),
    )


def _cifar10_row(name: str, system: str, budget: str, args: tuple[str, ...], bar: float, book: str) -> Row:
    return Row(
        name=name,
        kind="score",
        program="scores",
        system=system,
        config=f"configs/classifiers/{name}.yaml",
        budget=budget,
        figures=(Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, bar=bar, book=book),),
        protocol=f"a copy of CIFAR10 as JPEG files, which loses some detail; {_IMAGES}",
        options={"data": "cifar10_jpeg", "args": args},
    )


def _cifar10_cosine_row(name: str, system: str, epochs: int, bar: float, book: str) -> Row:
    budget = f"{epochs} epochs of 49,000 images, the learning rate falling along a cosine"
    return _cifar10_row(name, system, budget, cosine(epochs), bar, book)


SYSTEM_SCORES = (
    Row(
        name="mlp_mnist",
        kind="score",
        program="scores",
        system="MLPClassifier",
        config="configs/classifiers/mlp_mnist.yaml",
        budget="20 epochs of 59,000 images, the learning rate falling from 0.002 along a cosine, weight decay 0.05",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, bar=0.983, book="0.985"),
            Figure("test/accuracy@best", "test accuracy, best by val/accuracy", digits=4),
        ),
        protocol=f"{_IMAGES}; the book trains on all 60,000 at a constant rate of 0.001 and takes the last epoch",
        options={"checkpoints": ("last", "best")},
    ),
    Row(
        name="vae_mnist",
        kind="score",
        program="scores",
        system="VAE",
        config="configs/vaes/vae_mnist.yaml",
        budget="30 epochs of 55,000 images",
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="vae_mlp_mnist",
        kind="score",
        program="scores",
        system="VAE",
        config="configs/vaes/vae_mlp_mnist.yaml",
        budget="50 epochs of 55,000 images",
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="dcgan_mnist_cpu",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist_cpu.yaml",
        budget="4,000 steps of 64 images, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
    ),
    Row(
        name="dcgan_mnist",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist.yaml",
        budget="40,000 steps of 64 images",
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
        elsewhere="a GPU; about 5.5 hours on two cores",
    ),
    Row(
        name="dcgan_lab_mnist",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_lab_mnist.yaml",
        budget="50 epochs of 55,000 images",
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
        elsewhere="a GPU; hours on two cores",
    ),
    Row(
        name="reference_real_mnist",
        kind="score",
        program="references",
        system="real images",
        budget="none",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=f"{GENERATIVE}; the samples are 10,000 training images: what a perfect generator would get",
        options={"reference": "real"},
    ),
    Row(
        name="reference_untrained_mnist",
        kind="score",
        program="references",
        system="DCGAN, untrained",
        budget="none, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=f"{GENERATIVE}; the samples are of first, random weights",
        options={"reference": "untrained"},
    ),
    Row(
        name="dqn_cartpole",
        kind="score",
        program="scores",
        system="DQN",
        config="configs/rl/dqn_cartpole.yaml",
        budget="50,000 environment steps",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/return@last",
                "mean return, final policy",
                digits=1,
                anchor="stable-baselines3, its tuned settings: 19, 500, 500",
            ),
            Figure("test/return@best", "mean return reached, best by val/return", digits=1, bar=475),
        ),
        protocol=_EPISODES,
        options={"checkpoints": ("last", "best")},
    ),
    Row(
        name="dqn_cartpole_book",
        kind="score",
        program="scores",
        system="DQN",
        config="configs/rl/dqn_cartpole_book.yaml",
        budget="that of the configuration",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "episodes_until_195",
                "episodes until the mean of 100 is 195",
                digits=0,
                better="lower",
                book="822 (mean of 10 runs)",
            ),
            Figure("test/return@last", "mean return, final policy", digits=1),
        ),
        protocol=f"{_EPISODES}; episodes until the mean training return of the last 100 is 195 or more, read at the"
        " steps that are logged; none where a run ended before",
        options={"episodes_until": 195.0},
    ),
    _classifier_row("cnn_mnist", "CNNClassifier", "10 epochs of 59,000 images", 0.992, "0.994"),
    _classifier_row(
        "rnn_mnist",
        "RNNClassifier",
        "12 epochs of 59,000 images, AdamW, the learning rate falling along a cosine",
        0.978,
        "0.980 after 20 epochs of plain descent",
        args=("--trainer.max_epochs", "12", "--model.init_args.scheduler.init_args.T_max", "12"),
    ),
    _classifier_row(
        "y_network_mnist",
        "YNetworkClassifier",
        "6 epochs of 59,000 images, the learning rate falling along a cosine",
        0.993,
        "0.994 to 0.995 after 20 epochs",
        args=cosine(6),
    ),
    _classifier_row(
        "mlp_shift_mnist",
        "MLPClassifier",
        "20 epochs of 59,000 images, shifted by up to a pixel, the learning rate falling from 0.002 along a cosine",
        0.984,
        "0.985, without shifts",
    ),
    _classifier_row(
        "capsnet_mnist",
        "CapsNetClassifier",
        "4 epochs of 59,000 images, three tenths of the learning rate after each",
        0.992,
        "none; the paper 0.9965 to 0.9975",
        (0,),
        ("--trainer.max_epochs", "4", "--model.init_args.scheduler.init_args.gamma", "0.3"),
    ),
    _cifar10_cosine_row("mlp_cifar10", "MLPClassifier", 10, 0.48, "0.490 after 10 epochs, constant rate"),
    _cifar10_cosine_row("mlp_deep_cifar10", "MLPClassifier", 30, 0.50, "about 0.51 after 100 epochs, constant rate"),
    _cifar10_cosine_row("cnn_strided_cifar10", "CNNClassifier", 10, 0.70, "0.715 after 10 epochs, constant rate"),
    _cifar10_row(
        "cnn_elu_cifar10",
        "CNNClassifier",
        "5 epochs of 49,000 images, the layers in the order of the book's companion code",
        ("--trainer.max_epochs", "5", "--model.init_args.network.init_args.companion", "true"),
        0.58,
        "0.59 after 5 epochs",
    ),
    Row(
        name="resnet20_cifar10",
        kind="score",
        program="peer_curve",
        system="ResNetClassifier",
        config="configs/classifiers/resnet20_cifar10.yaml",
        budget="6 epochs of 40,000 images (the book: 200 of 50,000)",
        figures=(
            Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, book="0.9216"),
            *(
                Figure(f"{key}_{epoch}", f"validation accuracy after epoch {epoch}, {name}", digits=4)
                for epoch in range(1, 7)
                for key, name in (("val/accuracy", "ours"), ("peer/accuracy", "the other network"))
            ),
        ),
        protocol="a copy of CIFAR10 as JPEG files, which loses some detail; 10,000 validation images apart from"
        " training and test; shifts of up to 3 pixels and flips; Adam at 0.001, batches of 32. The other network is"
        " pytorchcv's resnet20_cifar10 in a plain loop over the same batches",
        options={
            "data": "cifar10_jpeg",
            "args": ("--trainer.max_epochs", "6", "--data.init_args.val_fraction", "0.2"),
            "epochs": 6,
            "val_fraction": 0.2,
        },
        elsewhere="one core, an hour",
    ),
    _text_row(
        "dense",
        "4 epochs of 20,000 reviews, the learning rate falling along a cosine",
        0.87,
        "0.8897 after 2 epochs of 15,000",
    ),
    _text_row("rnn", "4 epochs of 20,000 reviews", 0.78, "0.7876 after 2 epochs"),
    _text_row("lstm", "4 epochs of 20,000 reviews", 0.845, "0.8458 after 2 epochs"),
)
