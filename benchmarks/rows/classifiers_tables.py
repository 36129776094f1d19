"""The rows of the books' tables of classifiers, each a configuration with other arguments, at fewer epochs."""

from collections.abc import Sequence

from benchmarks.row import Figure, Row

_OPTIMIZERS = {  # at Keras' defaults
    "SGD": ("torch.optim.SGD", {"lr": 0.01}),
    "Adam": ("torch.optim.Adam", {"lr": 0.001, "eps": 1e-7}),
    "RMSprop": ("torch.optim.RMSprop", {"lr": 0.001, "alpha": 0.9, "eps": 1e-7}),
}


def _table_row(
    table: str, number: int, system: str, config: str, what: str, epochs: int, args: Sequence[str], book: Sequence[str]
) -> Row:
    return Row(
        name=f"{table}_{number:02}",
        table=table,
        kind="table",
        program="programs.scores",
        system=system,
        config=f"configs/classifiers/{config}.yaml",
        title=what,
        budget=f"{epochs} epochs of 59,000 images",
        figures=(
            Figure("train/accuracy", "train %", digits=4, book=book[0]),
            Figure("test/accuracy@last", "test %", digits=4, book=book[1]),
        ),
        protocol="10,000 test images; last epoch; the training accuracy is the mean over the last epoch's batches, with"
        " dropout, as Keras prints it; optimizers at Keras' default rates, which the table leaves open",
        options={
            "args": (*args, "--trainer.max_epochs", str(epochs), "--trainer.log_every_n_steps", "1"),
            "train_accuracy": True,
        },
        elsewhere="two cores, a minute or two",
    )


def _optimizer(name: str, weight_decay: float = 0.0) -> list[str]:
    path, values = _OPTIMIZERS[name]
    # Named even where it is 0: the configuration's own would stay.
    values = {**values, "weight_decay": weight_decay}
    pairs = [("--model.init_args.optimizer", path)]
    pairs += [(f"--model.init_args.optimizer.init_args.{key}", str(value)) for key, value in values.items()]
    return [word for pair in [*pairs, ("--model.init_args.scheduler", "null")] for word in pair]


# Units of the three hidden layers, L2 penalty, dropout, optimizer, activation; training and test accuracy of the book.
_MLPS = (
    ((256, 256, 256), 0.0, 0.0, "SGD", "linear", "93.65", "92.5"),
    ((256, 256, 256), 0.001, 0.0, "SGD", "relu", "99.35", "98.0"),
    ((256, 256, 256), 0.01, 0.0, "SGD", "relu", "96.90", "96.7"),
    ((256, 256, 256), 0.0, 0.0, "SGD", "relu", "99.93", "98.0"),
    ((256, 256, 256), 0.0, 0.4, "SGD", "relu", "98.23", "98.1"),
    ((256, 256, 256), 0.0, 0.45, "SGD", "relu", "98.07", "98.1"),
    ((256, 256, 256), 0.0, 0.5, "SGD", "relu", "97.68", "98.1"),
    ((256, 256, 256), 0.0, 0.6, "SGD", "relu", "97.11", "97.9"),
    ((256, 512, 256), 0.0, 0.45, "SGD", "relu", "98.21", "98.2"),
    ((512, 512, 512), 0.0, 0.2, "SGD", "relu", "99.45", "98.3"),
    ((512, 512, 512), 0.0, 0.4, "SGD", "relu", "98.95", "98.3"),
    ((512, 1024, 512), 0.0, 0.45, "SGD", "relu", "98.90", "98.2"),
    ((1024, 1024, 1024), 0.0, 0.4, "SGD", "relu", "99.37", "98.3"),
    ((256, 256, 256), 0.0, 0.6, "Adam", "relu", "98.64", "98.2"),
    ((256, 256, 256), 0.0, 0.55, "Adam", "relu", "99.02", "98.3"),
    ((256, 256, 256), 0.0, 0.45, "Adam", "relu", "99.39", "98.5"),
    ((256, 256, 256), 0.0, 0.45, "RMSprop", "relu", "98.75", "98.1"),
    ((128, 128, 128), 0.0, 0.45, "Adam", "relu", "98.70", "97.7"),
)
# Optimizer, dropout.
_CNNS = (
    ("SGD", 0.2, "97.76", "98.50"),
    ("RMSprop", 0.2, "99.11", "99.00"),
    ("Adam", 0.2, "99.75", "99.40"),
    ("Adam", 0.4, "99.64", "99.30"),
)
# Units, optimizer.
_RNNS = (
    (256, "SGD", "97.26", "98.00"),
    (256, "RMSprop", "96.72", "97.60"),
    (256, "Adam", "96.79", "97.40"),
    (512, "SGD", "97.88", "98.30"),
)


def _mlp_rows() -> list[Row]:
    rows = []
    for number, (units, penalty, dropout, optimizer, activation, *book) in enumerate(_MLPS, 1):
        what = ["-".join(map(str, units)), optimizer]
        what += [f"L2 {penalty}"] if penalty else []
        what += [f"dropout {dropout}"] if dropout else []
        what += ["no ReLU"] if activation == "linear" else []
        args = [
            *("--model.init_args.hidden_dims", str(list(units)), "--model.init_args.dropout", str(dropout)),
            *("--model.init_args.activation", activation),
            # The gradient of Keras' penalty on w squared is twice its weight; here the biases decay too.
            *_optimizer(optimizer, weight_decay=2 * penalty),
        ]
        rows.append(_table_row("mlp_table", number, "MLPClassifier", "mlp_mnist", ", ".join(what), 5, args, book))
    return rows


def _cnn_rows() -> list[Row]:
    rows = []
    for number, (optimizer, dropout, *book) in enumerate(_CNNS, 1):
        what = f"64-64-64, {optimizer}, dropout {dropout}"
        args = ["--model.init_args.dropout", str(dropout), *_optimizer(optimizer)]
        rows.append(_table_row("cnn_table", number, "CNNClassifier", "cnn_mnist", what, 2, args, book))
    return rows


def _rnn_rows() -> list[Row]:
    rows = []
    for number, (units, optimizer, *book) in enumerate(_RNNS, 1):
        what = f"{units} units, {optimizer}, dropout 0.2"
        args = ["--model.init_args.hidden_dim", str(units), *_optimizer(optimizer)]
        rows.append(_table_row("rnn_table", number, "RNNClassifier", "rnn_mnist", what, 3, args, book))
    return rows


def _pretraining_rows() -> list[Row]:
    rows = []
    # The last trains as many epochs as the most pretrained: what is gained by pretraining, and what by training longer.
    for number, (epochs, fine_tuning) in enumerate(((0, 5), (1, 5), (3, 5), (0, 14)), 1):
        each = f"{epochs} epoch{'s' if epochs > 1 else ''} a layer"
        title = f"pretraining for {each}" if epochs else "no pretraining"
        args = ("--model.init_args.pretraining_epochs", str(epochs))
        args += ("--trainer.max_epochs", str(3 * epochs + fine_tuning), "--trainer.log_every_n_steps", "1")
        rows.append(
            Row(
                name=f"pretraining_table_{number:02}",
                table="pretraining_table",
                kind="table",
                program="programs.scores",
                system="DBNClassifier",
                config="configs/classifiers/dbn_classifier_mnist.yaml",
                title=f"{title}, {fine_tuning} epochs of fine-tuning",
                budget=f"{3 * epochs} epochs of pretraining and {fine_tuning} of fine-tuning, 55,000 images",
                figures=(
                    Figure("train/accuracy", "train %", digits=4, book="–"),
                    Figure("test/accuracy@last", "test %", digits=4, book="–"),
                ),
                protocol="three sigmoid layers of 500, 500 and 2,000 units; the machines by SGD at 0.05 with momentum"
                " 0.9, then all layers by Adam at 0.001; 10,000 test images; last epoch; the training accuracy is the"
                " mean over the last epoch's batches",
                options={"args": args, "train_accuracy": True},
                elsewhere="two cores, ten minutes",
            )
        )
    return rows


ROWS = (*_pretraining_rows(), *_mlp_rows(), *_cnn_rows(), *_rnn_rows())
# What each table is, for the report.
TABLES = {
    "mlp_table": "MLP on MNIST: atienza, table 1.3.2 (20 epochs there; read as three hidden layers)",
    "cnn_table": "CNN on MNIST: atienza, table 1.4.1 (10 epochs there)",
    "rnn_table": "SimpleRNN on MNIST: atienza, table 1.5.1 (20 epochs there)",
    "pretraining_table": "DBNClassifier on MNIST: does the greedy pretraining of vasilev 3.5 help (no figures there)",
}
