"""What could also give a score, without learning: measured once for the data that many rows share."""

from benchmarks.row import Figure, Row

_TEST = "10,000 test images"


def _row(name: str, system: str, config: str, baseline: str, figure: Figure, protocol: str, data: str = "") -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.baselines",
        system=system,
        config=config,
        budget="no learning",
        figures=(figure,),
        protocol=protocol,
        options={"baseline": baseline, **({"data": data} if data else {})},
    )


_ACCURACY = Figure("baseline/accuracy", "accuracy", digits=4)
_TRACKS = (
    "undiscounted return of 100 tracks, the same as a controller's, 1,000 frames at most, the first second of each"
    " included; steering, gas and brake for each frame"
)
ROWS = (
    _row(
        "majority_mnist",
        "the most frequent class",
        "configs/classifiers/mlp_mnist.yaml",
        "majority",
        _ACCURACY,
        f"{_TEST}; the class is that of the training images",
    ),
    _row(
        "majority_cifar10",
        "the most frequent class",
        "configs/classifiers/mlp_cifar10.yaml",
        "majority",
        _ACCURACY,
        f"{_TEST} of a copy of CIFAR10 as JPEG files; the class is that of the training images",
        "cifar10_jpeg",
    ),
    _row(
        "majority_imdb",
        "the most frequent class",
        "configs/classifiers/text_dense_imdb.yaml",
        "majority_in_validation",
        _ACCURACY,
        "5,000 validation reviews; the class is that of the training reviews",
    ),
    _row(
        "pixel_means_mnist",
        "a Bernoulli for each pixel",
        "configs/vaes/vae_mnist.yaml",
        "pixel_means",
        Figure("baseline/elbo", "log-likelihood, nats per image", digits=2),
        f"{_TEST}, grey values taken as probabilities; the mean of the training images, with one white and one black"
        " image more, is the probability of white",
    ),
    _row(
        "pixel_means_binarized_mnist",
        "a Bernoulli for each pixel",
        "configs/vaes/vae_binarized_mnist.yaml",
        "pixel_means",
        Figure("baseline/nll", "negative log-likelihood, nats per image", digits=2, better="lower"),
        f"{_TEST} of statically binarized MNIST; the mean of the training images, with one white and one black image"
        " more, is the probability of white",
    ),
    _row(
        "random_cartpole",
        "random actions",
        "configs/rl/dqn_cartpole.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_cartpole_book",
        "random actions",
        "configs/rl/dqn_cartpole_book.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 200 steps at most, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_cartpole_time_limit",
        "random actions",
        "configs/rl/q_network_cartpole_book.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 200 steps at most, each of which ends with a reward of -1, the same as an agent's; each"
        " action with the same probability",
    ),
    _row(
        "random_acrobot",
        "random actions",
        "configs/rl/dqn_acrobot.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 500 steps at most, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_mountain_car",
        "random actions",
        "configs/rl/semi_gradient_sarsa_mountain_car.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 200 steps at most, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_mountain_car_continuous",
        "random actions",
        "configs/rl/a2c_mountain_car_continuous.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 999 steps at most, the same as an agent's; any action between the bounds alike",
    ),
    _row(
        "random_pendulum",
        "random actions",
        "configs/rl/ppo_pendulum.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 200 steps at most, the same as an agent's; any action between the bounds alike",
    ),
    _row(
        "random_lunar_lander",
        "random actions",
        "configs/rl/ppo_lunar_lander.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes of 1,000 steps at most, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_minatar_breakout",
        "random actions",
        "configs/rl/pqn_minatar_breakout.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes with sticky actions, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_breakout",
        "random actions",
        "configs/rl/dqn_breakout.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "30 test episodes, the same as an agent's; each action with the same probability",
    ),
    _row(
        "random_pong",
        "random actions",
        "configs/rl/pqn_pong.yaml",
        "random_actions",
        Figure("baseline/return", "mean return", digits=1),
        "100 test episodes, the same as an agent's; each action with the same probability",
    ),
    _row(
        "car_racing_expert",
        "a driver by rules who knows the track",
        "configs/world_models/car_racing_controller.yaml",
        "racing_expert",
        Figure("baseline/return", "mean return", digits=1, bar=910.0, anchor="911 (another one, 40 lines)"),
        _TRACKS,
    ),
    _row(
        "car_racing_calm_expert",
        "a driver by rules who knows the track and does not hurry",
        "configs/world_models/car_racing_controller.yaml",
        "racing_calm_expert",
        Figure("baseline/return", "mean return", digits=1),
        _TRACKS,
    ),
    _row(
        "six_grams_tinyshakespeare",
        "n-grams of up to six characters",
        "configs/text/gpt_tinyshakespeare.yaml",
        "six_grams",
        Figure("baseline/loss", "nats a character", better="lower"),
        "the last tenth of Tiny Shakespeare, each character given all before it; counts of the training text, smoothed"
        " by Kneser-Ney's method",
    ),
    _row(
        "trigrams_aesop",
        "n-grams of up to three words",
        "configs/text/nplm_aesop.yaml",
        "trigrams",
        Figure("baseline/perplexity", "perplexity", digits=1, better="lower"),
        "the last tenth of Aesop's fables, each word given all before it, of 2,000 token ids; counts of the training"
        " text, smoothed by Kneser-Ney's method",
    ),
)
