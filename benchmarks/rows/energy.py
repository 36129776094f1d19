"""The rows of energy models."""

from benchmarks.row import Figure, Row

_FEATURES = (
    "10,000 test images; the features are the probabilities of the {}; logistic regression of scikit-learn, at most"
    " 200 steps, on the training images"
)
ROWS = (
    Row(
        name="rbm_mnist",
        kind="score",
        program="programs.features",
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
        program="programs.features",
        system="DBN",
        config="configs/energy/dbn_mnist.yaml",
        budget="3 epochs of 55,000 images for each of three machines",
        seeds=(0, 1, 2),
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
        program="programs.features",
        system="ConvDBN",
        config="configs/energy/conv_dbn_mnist.yaml",
        budget="1 epoch of 55,000 images for each of two machines",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/features", "accuracy of logistic regression on the features", digits=4),
            Figure("test/reconstruction@last", "squared error of a way up and down", digits=4, better="lower"),
        ),
        protocol=_FEATURES.format("360 pooling units at the top"),
        options={"args": ("--model.init_args.epochs_per_layer", "1", "--trainer.max_epochs", "2")},
    ),
)
