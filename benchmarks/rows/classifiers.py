"""The rows of classifiers' scores."""

from benchmarks.row import Figure, Gpu, Row
from benchmarks.rows.shared import IMAGES, cosine, majority


def _text_row(name: str, budget: str, bar: float, book: str) -> Row:
    return Row(
        name=f"text_{name}_imdb",
        kind="score",
        program="programs.scores",
        system="TextClassifier",
        config=f"configs/classifiers/text_{name}_imdb.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "val/accuracy@last", "validation accuracy, last epoch", digits=4, bar=bar, book=book, **majority("imdb")
            ),
        ),
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
        program="programs.scores",
        system=system,
        config=f"configs/classifiers/{name}.yaml",
        budget=budget,
        seeds=seeds,
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last epoch",
                digits=4,
                bar=bar,
                book=book,
                of_mean=True,
                **majority("mnist"),
            ),
        ),
        protocol=f"{IMAGES}; the book takes the last epoch",
        options={"args": args},
    )


def _cifar10_row(
    name: str,
    system: str,
    budget: str,
    args: tuple[str, ...],
    bar: float,
    book: str,
    seeds: tuple[int, ...] = (0,),
    config: str = "",
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/classifiers/{config or name}.yaml",
        budget=budget,
        seeds=seeds,
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last epoch",
                digits=4,
                bar=bar,
                book=book,
                **majority("cifar10"),
            ),
        ),
        protocol=f"a copy of CIFAR10 as JPEG files, which loses some detail; {IMAGES}",
        options={"data": "cifar10_jpeg", "args": args},
    )


def _cifar10_cosine_row(
    name: str, system: str, epochs: int, bar: float, book: str, seeds: tuple[int, ...] = (0, 1, 2)
) -> Row:
    budget = f"{epochs} epochs of 49,000 images, the learning rate falling along a cosine"
    return _cifar10_row(name, system, budget, cosine(epochs), bar, book, seeds)


def _quick_row(
    name: str,
    system: str,
    budget: str,
    data: str,
    args: tuple[str, ...] = (),
    config: str = "",
    bar: float | None = None,
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/classifiers/{config}.yaml" if config else None,
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last epoch",
                digits=3,
                bar=bar,
                baseline="baseline/accuracy",
                guess="the most frequent class",
            ),
        ),
        protocol=f"{data}, the same for every seed; last epoch",
        options={"baseline": "majority", **({"args": args} if args else {})},
        cost="seconds",
    )


def _digits_row(
    name: str, system: str, budget: str, image: tuple[int, int], batch_size: int, epochs: int, *args: str
) -> Row:
    """Return the row of a small network on scikit-learn's digits of so many channels and pixels."""
    channels, size = image
    return _quick_row(
        name,
        system,
        f"{budget}; {epochs} epochs of 1,297 digits of scikit-learn",
        "300 test digits of scikit-learn",
        (
            *("--model", system, "--model.init_args.input_shape", f"[{channels}, {size}, {size}]", *args),
            *("--data", "DigitsDataModule", "--data.init_args.image_size", str(size)),
            *("--data.init_args.channels", str(channels), "--data.init_args.batch_size", str(batch_size)),
            *("--trainer.max_epochs", str(epochs)),
        ),
    )


_ADAM = (*("--model.init_args.optimizer", "torch.optim.Adam", "--model.init_args.optimizer.init_args.lr", "0.001"),)
ROWS = (
    Row(
        name="mlp_mnist",
        kind="score",
        program="programs.scores",
        system="MLPClassifier",
        config="configs/classifiers/mlp_mnist.yaml",
        budget="20 epochs of 59,000 images, dropout 0.3, the learning rate falling from 0.002 along a cosine, weight"
        " decay 0.05",
        seeds=(0, 1, 2, 3, 4),
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last epoch",
                digits=4,
                bar=0.984,
                book="0.985",
                of_mean=True,
                **majority("mnist"),
            ),
            Figure("test/accuracy@best", "test accuracy, best by val/accuracy", digits=4),
        ),
        protocol=f"{IMAGES}; the book trains on all 60,000 with dropout of 0.45 at a constant rate of"
        " 0.001, and takes the last epoch",
        options={"checkpoints": ("last", "best")},
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
    _cifar10_cosine_row("cnn_strided_cifar10", "CNNClassifier", 10, 0.70, "0.715 after 10 epochs, constant rate", (0,)),
    _cifar10_row(
        "cnn_elu_cifar10",
        "CNNClassifier",
        "5 epochs of 49,000 images, the layers in the order of the book's companion code",
        ("--trainer.max_epochs", "5", "--model.init_args.network.init_args.companion", "true"),
        0.58,
        "0.59 after 5 epochs",
    ),
    _cifar10_row(
        "cnn_elu_cifar10_printed",
        "CNNClassifier",
        "5 epochs of 49,000 images, the layers in the order that the book prints",
        ("--trainer.max_epochs", "5"),
        0.58,
        "0.59 after 5 epochs",
        config="cnn_elu_cifar10",
    ),
    Row(
        name="resnet20_cifar10",
        kind="score",
        program="peers.peer_curve",
        system="ResNetClassifier",
        config="configs/classifiers/resnet20_cifar10.yaml",
        budget="6 epochs of 40,000 images (the book: 200 of 50,000)",
        figures=(
            Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, book="0.9216", **majority("cifar10")),
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
        cost="hours",
        elsewhere="one core, an hour",
    ),
    Row(
        name="dbn_classifier_mnist",
        kind="score",
        program="programs.scores",
        system="DBNClassifier",
        config="configs/classifiers/dbn_classifier_mnist.yaml",
        budget="9 epochs of pretraining and 10 of fine-tuning, 55,000 images",
        seeds=(0, 1, 2),
        headline=True,
        figures=(Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, **majority("mnist")),),
        protocol=f"{IMAGES}; the configuration as it is, with 3 epochs of pretraining for each of three layers",
    ),
    Row(
        name="resnet20_cifar10_gpu",
        kind="score",
        program="programs.scores",
        system="ResNetClassifier",
        config="configs/classifiers/resnet20_cifar10.yaml",
        budget="200 epochs of 49,000 images, batches of 256 at 0.003 (the book: 32 at 0.001)",
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last epoch",
                digits=4,
                book="0.9216",
                anchor="public Keras: 0.917",
                **majority("cifar10"),
            ),
        ),
        protocol=f"a copy of CIFAR10 as JPEG files, which loses some detail; {IMAGES}; shifts of up to 3 pixels and"
        " flips; images and augmentation on the GPU",
        options={
            "data": "cifar10_jpeg",
            "args": ("--data.init_args.batch_size", "256", "--model.init_args.optimizer.init_args.lr", "0.003"),
        },
        cost="hours",
        elsewhere="a GPU (--gpu)",
        gpu=Gpu(1, 6.0),
    ),
    Row(
        name="densenet100_cifar10_gpu",
        kind="score",
        program="programs.scores",
        system="DenseNetClassifier",
        config="configs/classifiers/densenet100_cifar10.yaml",
        budget="as many epochs of 49,000 images as the time allows (the book: 200), batches of 128 at 0.002",
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy, last checkpoint",
                digits=4,
                book="0.9374 after 200 epochs",
                **majority("cifar10"),
            ),
            Figure("epochs", "complete epochs", digits=0),
        ),
        protocol=f"a copy of CIFAR10 as JPEG files, which loses some detail; {IMAGES}; shifts of up to 3 pixels and"
        " flips; images and augmentation on the GPU; the training is ended by the clock, at the first rate of the"
        " schedule unless it came to its 80th epoch",
        options={
            "data": "cifar10_jpeg",
            "args": ("--data.init_args.batch_size", "128", "--model.init_args.optimizer.init_args.lr", "0.002"),
            "seconds_for_the_test": 40,
        },
        cost="hours",
        elsewhere="a GPU (--gpu)",
        gpu=Gpu(5, 2.0),
    ),
    _text_row(
        "dense",
        "4 epochs of 20,000 reviews, the learning rate falling along a cosine",
        0.87,
        "0.8897 after 2 epochs of 15,000",
    ),
    _text_row("rnn", "4 epochs of 20,000 reviews", 0.78, "0.7876 after 2 epochs"),
    _text_row("lstm", "4 epochs of 20,000 reviews", 0.845, "0.8458 after 2 epochs"),
    _quick_row(
        "logistic_regression_iris",
        "LogisticRegression",
        "50 epochs of batches of 16",
        "test irises",
        config="logistic_regression_iris",
        bar=0.9,
    ),
    _quick_row(
        "perceptron_iris",
        "Perceptron",
        "30 epochs, row by row",
        "test irises",
        config="perceptron_iris",
    ),
    _digits_row(
        "densenet_digits",
        "DenseNetClassifier",
        "a depth of 16 in place of the book's 100",
        (1, 16),
        16,
        8,
        *("--model.init_args.depth", "16"),
        *_ADAM,
    ),
    _digits_row(
        "matrix_capsnet_digits",
        "MatrixCapsNetClassifier",
        "4 kinds of capsules a layer",
        (1, 24),
        32,
        4,
        *("--model.init_args.channels", "16", "--model.init_args.capsules", "[4, 4, 4]"),
        *("--model.init_args.sharpness", "0.05", "--model.init_args.margin_steps", "400"),
    ),
    _digits_row(
        "backbone_digits",
        "BackboneClassifier",
        "a ResNet-18 of random weights, not pretrained",
        (3, 32),
        32,
        3,
    ),
)
