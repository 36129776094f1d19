"""Scores of baselines without learning: on the data of a run, or of a configuration, as a row of its own."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from math import exp, log, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from jsonargparse import ArgumentParser
from pytorch_lightning import LightningDataModule
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.distributions import MultivariateNormal
from torchmetrics import MeanAbsoluteError
from torchmetrics.classification import BinaryF1Score
from torchmetrics.functional import mean_squared_error, r2_score
from torchmetrics.image import PeakSignalNoiseRatio

from benchmarks.context import Context, row_record
from benchmarks.record import ROOT, Record
from benchmarks.row import Row
from datamodules.driving.moments import BEFORE
from datamodules.driving.top_down_road import DRIVEN, progress
from datamodules.driving.traffic import FREE
from datamodules.driving.vehicle import STEP, RuleDriver, own_box, touches
from datamodules.environments.making import make_env
from datamodules.environments.racing.expert import CalmExpert, RacingExpert
from dlmodules import NGram
from dlmodules.protocols import PAD
from dlmodules.rl.evaluation import play_episodes
from dlmodules.rl.tabular.planning import policy_rows, solve
from dlmodules.text.spans import SpanF1

Rows = tuple[Tensor, Tensor]


def measure(row: Row, seed: int, context: Context) -> Record:
    """Return the record of the baseline of ``row`` on the data of its configuration, or of its option ``data``."""
    begin = time.perf_counter()
    assert row.config is not None
    data = yaml.safe_load((ROOT / row.config).read_text())["data"]
    if "data" in row.options:
        given = import_module(f"benchmarks.data.{row.options['data']}").arguments(context)
        values = dict(zip(given[::2], given[1::2], strict=True))
        init_args = {key.removeprefix("--data.init_args."): yaml.safe_load(value) for key, value in values.items()}
        data = {"class_path": init_args.pop("--data"), "init_args": init_args}
    return row_record(row, seed, begin, metrics=_of_data(row.options["baseline"], data))


def of_run(name: str, config: Path) -> dict[str, float]:
    """Return the metrics ``baseline/...`` of the baseline ``name`` on the data of a run's ``config.yaml``."""
    return _of_data(name, yaml.safe_load(config.read_text())["data"])


def _of_data(name: str, data: dict[str, Any]) -> dict[str, float]:
    return BASELINES[name](data_of(data))


def data_of(described: dict[str, Any]) -> Any:
    """Return the data module of a run's ``config.yaml``, with the data modules in it, ready for all stages."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(LightningDataModule, "data")
    datamodule = parser.instantiate_classes(parser.parse_object({"data": described})).data
    datamodule.prepare_data()
    datamodule.setup("fit")
    datamodule.setup("test")
    return datamodule


def rows(loader: Any) -> Rows:
    """Return all inputs and targets of a loader."""
    parts = list(loader)
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


def targets(loader: Any) -> Tensor:
    """Return all targets of a loader, whose inputs may have different lengths."""
    return torch.cat([y for _, y in loader])


def majority(datamodule: Any) -> dict[str, float]:
    """Accuracy of the class that most training rows have, on the test rows."""
    return _majority(datamodule.train_dataloader(), datamodule.test_dataloader())


def majority_in_validation(datamodule: Any) -> dict[str, float]:
    """Accuracy of the class that most training rows have, on the validation rows."""
    return _majority(datamodule.train_dataloader(), datamodule.val_dataloader())


def _majority(train: Any, held_out: Any) -> dict[str, float]:
    most = targets(train).mode().values
    return {"baseline/accuracy": float((targets(held_out) == most).float().mean())}


def mean_target(datamodule: Any) -> dict[str, float]:
    """Error and explained variance of the training targets' mean."""
    _, train = rows(datamodule.train_dataloader())
    _, test = rows(datamodule.test_dataloader())
    test = test.double().flatten()
    guess = train.double().mean().expand_as(test)
    rmse = float(mean_squared_error(guess, test, squared=False))
    return {"baseline/rmse": rmse, "baseline/r2": float(r2_score(guess, test))}


def mean_input(datamodule: Any) -> dict[str, float]:
    """Squared error of the training inputs' mean, which is the test inputs' variance or a little more."""
    train, _ = rows(datamodule.train_dataloader())
    test, _ = rows(datamodule.test_dataloader())
    return {"baseline/mse": float((test.double() - train.double().mean(0)).square().mean())}


def uniform_categories(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where every combination of the categories is equally probable."""
    return {"baseline/log_likelihood": -log(prod(datamodule.sizes))}


def uniform_colours(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where each pixel of an image has any of 256 colours with the same probability."""
    test, _ = rows(datamodule.test_dataloader())
    height, width = test.shape[-2:]
    return {"baseline/log_likelihood": -height * width * log(256)}


def uniform_map(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where a point lies anywhere on the map of 180 by 360 degrees."""
    return {"baseline/log_likelihood": -log(180 * 360)}


def pixel_means(datamodule: Any) -> dict[str, float]:
    """Likelihood where each pixel is drawn apart, white with the mean of the training images there.

    The mean is that of the images and of one white and one black image more, so that no pixel is impossible.
    """
    train, _ = rows(datamodule.train_dataloader())
    test, _ = rows(datamodule.test_dataloader())
    mean = (train.double().sum(0) + 1) / (len(train) + 2)
    nll = -(test * mean.log() + (1 - test) * (1 - mean).log()).flatten(1).sum(1).mean()
    return {"baseline/nll": float(nll), "baseline/elbo": -float(nll)}


def random_actions(datamodule: Any) -> dict[str, float]:
    """Mean return of the test episodes where every action is equally probable."""
    from gymnasium.spaces import Box

    generator, space = torch.Generator().manual_seed(0), datamodule.action_space

    def act(observation: Tensor) -> Tensor:
        if isinstance(space, Box):
            low, high = torch.from_numpy(space.low), torch.from_numpy(space.high)
            return low + (high - low) * torch.rand(len(observation), *space.shape, generator=generator)
        return torch.randint(datamodule.num_actions, (len(observation),), generator=generator)

    returns, _ = play_episodes(act, datamodule.evaluation_envs("test"), datamodule.evaluation_seeds("test"))
    return {"baseline/return": float(returns.mean())}


def racing_expert(datamodule: Any, expert: type[RacingExpert] = RacingExpert) -> dict[str, float]:
    """Mean return of a driver who knows the track, on the test tracks; the worst of them, and the part of full laps."""
    env = make_env("dlmodules/CarRacing-v0", {}, ())
    returns, laps = [], []
    for seed in datamodule.evaluation_seeds("test"):
        env.reset(seed=seed)
        driver, over, paid = expert(env), False, 0.0
        while not over:
            _, reward, terminated, truncated, info = env.step(driver.act())
            paid, over = paid + float(reward), terminated or truncated
        returns.append(paid)
        laps.append(float(info.get("lap_finished", False)))
    return {
        "baseline/return": float(np.mean(returns)),
        "baseline/return_std": float(np.std(returns)),
        "baseline/worst": min(returns),
        "baseline/laps": float(np.mean(laps)),
    }


def zero_values(datamodule: Any) -> dict[str, float]:
    """Root of the mean squared value of the states, where all actions are alike: the error of taking all for 0."""
    dynamics = datamodule.transitions
    exact = solve(dynamics, policy_rows(None, dynamics.num_states, dynamics.num_actions), 1.0)[~dynamics.terminal]
    return {"baseline/value_error": float(exact.square().mean().sqrt())}


def unigrams(datamodule: Any) -> dict[str, float]:
    """Negative log-likelihood of the test tokens, each by its frequency in the training text with one added."""
    tokens = torch.from_numpy(datamodule.train_set.tokens.astype("int64"))
    test = torch.from_numpy(datamodule.test_set.tokens.astype("int64"))[1:]
    counts = torch.bincount(tokens, minlength=len(datamodule.tokenizer)).double() + 1
    return {"baseline/loss": -float((counts / counts.sum()).log()[test].mean())}


def six_grams(datamodule: Any) -> dict[str, float]:
    """Negative log-likelihood of the test tokens under n-grams of up to six, smoothed by Kneser-Ney's method."""
    nats = _counted(datamodule, 6)
    return {
        "baseline/loss": nats,
        "baseline/bits_per_character": nats / log(2) / datamodule.characters_per_token("test"),
    }


def trigrams(datamodule: Any) -> dict[str, float]:
    """Perplexity of the test tokens under n-grams of up to three, smoothed by Kneser-Ney's method."""
    return {"baseline/perplexity": exp(_counted(datamodule, 3))}


def _counted(datamodule: Any, order: int) -> float:
    model = NGram(order=order, vocabulary_size=len(datamodule.tokenizer))
    model.count([torch.from_numpy(datamodule.train_set.tokens.astype("int64"))])
    test = torch.from_numpy(datamodule.test_set.tokens.astype("int64"))
    return float(model.nats_of_sequence(test[None]).mean())


def half_the_bits(datamodule: Any) -> dict[str, float]:
    """Counts of half the number of bits, which takes no look at them, on the test; and an output of 0 in training."""
    x, y = rows(datamodule.test_dataloader())
    guess = torch.full_like(y, x.shape[1] / 2)
    _, train = rows(datamodule.train_dataloader())
    return {
        "baseline/rmse": float(mean_squared_error(guess, y, squared=False)),
        "baseline/accuracy": float((guess.round() == y).float().mean()),
        "baseline/train_loss": float(train.square().mean()),
    }


def tags_by_word(datamodule: Any) -> dict[str, float]:
    """Answers found and questions asked without a look at the context of a word.

    The F1 scores of words and of whole answers where a word is one if it mostly is in the training documents; that of
    words where all are; and the part of the questions that are the most frequent one of the training.
    """
    train, test = datamodule.train_set, datamodule.test_set
    words, size = train.documents.tokens.long(), len(datamodule.tokenizer)
    share = torch.bincount(words, train.tags.tokens, size) / torch.bincount(words, minlength=size).clamp(min=1)
    spans, tagged, all_words = SpanF1(), BinaryF1Score(), BinaryF1Score()
    (common, _), *_ = Counter(tuple(row.tolist()) for row in train.questions.rows()).most_common(1)
    asked = 0
    for document, tags, _, question in datamodule.test_dataloader():
        inside = document != PAD
        found = (share[document] > 0.5) & inside
        spans.update(found, tags.bool())
        tagged.update(found[inside], tags[inside])
        all_words.update(inside[inside], tags[inside])
        asked += sum(tuple(token for token in row if token != PAD) == common for row in question.tolist())
    return {
        "baseline/span_f1": float(spans.compute()),
        "baseline/tag_f1": float(tagged.compute()),
        "baseline/tag_f1_of_all": float(all_words.compute()),
        "baseline/question_exact": asked / len(test),
    }


def pixels_by_colour(datamodule: Any) -> dict[str, float]:
    """Errors of translations that give each pixel the mean of what pixels of its colour become in training.

    Colours are told apart by four bits a channel, and one that was never seen is left as it is.
    """

    def colours(images: Tensor) -> Tensor:
        levels = (images * 15.999).long().movedim(1, -1).flatten(0, -2)
        return (levels * torch.tensor([256, 16, 1])[-levels.shape[1] :]).sum(dim=1)

    sums, counts = torch.zeros(4096, datamodule.train_set.b.images.shape[1]), torch.zeros(4096)
    for a, b, *_ in datamodule.train_dataloader():
        keys = colours(a)
        sums.index_add_(0, keys, b.movedim(1, -1).flatten(0, -2))
        counts.index_add_(0, keys, torch.ones(len(keys)))
    l1, psnr = MeanAbsoluteError(), PeakSignalNoiseRatio(data_range=1.0)
    for a, b, *_ in datamodule.test_dataloader():
        keys, wanted = colours(a), b.movedim(1, -1).flatten(0, -2)
        left = a.expand_as(b).movedim(1, -1).flatten(0, -2)
        found = torch.where(counts[keys, None] > 0, sums[keys] / counts[keys, None].clamp(1), left)
        l1.update(found, wanted)
        psnr.update(found, wanted)
    return {"baseline/l1": float(l1.compute()), "baseline/psnr": float(psnr.compute())}


def ridge_of_frames(datamodule: Any) -> dict[str, float]:
    """Errors of steering by a ridge regression on a frame's 32 x 16 grey values below its top third; and by the mean.

    Both see all frames but those of the test.
    """
    from torchvision.transforms.v2.functional import resize, rgb_to_grayscale

    def small(frames: Tensor) -> Tensor:
        road = rgb_to_grayscale(frames[:, :, frames.shape[2] // 3 :])
        return resize(road, [16, 32], antialias=True).flatten(1).double() / 255

    known, test = [datamodule.train_set, datamodule.val_set], datamodule.test_set
    x, y = torch.cat([small(part.frames) for part in known]), torch.cat([part.steering for part in known]).double()
    ridge = Ridge(alpha=1.0).fit(x.numpy(), y.numpy())
    wanted = test.steering.double()
    guesses = {"": torch.from_numpy(ridge.predict(small(test.frames).numpy())), "mean_": y.mean().expand_as(wanted)}
    found = {}
    for name, guess in guesses.items():
        found[f"baseline/{name}mae"] = float((guess - wanted).abs().mean())
        found[f"baseline/{name}r2"] = float(r2_score(guess, wanted))
    return found


def sees_no_cars(datamodule: Any) -> dict[str, float]:
    """How often the driver by rules collides in test scenes and how far it gets where it heeds no other car.

    It drives ten seconds from where the scenes begin for a network, by lane and speed limit alone.
    """
    drives = datamodule.test_set.drives
    blind = replace(drives.traffic, kinds=torch.full_like(drives.traffic.kinds, FREE))
    last = BEFORE + DRIVEN
    states, along = RuleDriver(blind).drive(last + 1)
    collided = torch.zeros(len(blind), dtype=torch.bool)
    for step in range(BEFORE + 1, last + 1):
        cars = drives.traffic.cars(torch.full((len(blind),), step * STEP))
        collided |= touches(own_box(states[:, step]), cars)
    driven, expert = (way[:, last] - way[:, BEFORE] for way in (along, drives.along))
    return {
        "baseline/collisions": float(collided.float().mean()),
        "baseline/progress": progress(driven, expert),
    }


def one_gaussian(datamodule: Any) -> dict[str, float]:
    """Nats of a point of the pen and how often its lifting is foreseen, without a look at the points before it.

    Offsets have one Gaussian of two correlated numbers, and the pen is lifted as often as in training.
    """
    train, test = (pen_points(loader) for loader in (datamodule.train_dataloader(), datamodule.test_dataloader()))
    offsets = MultivariateNormal(train[:, :2].mean(dim=0), train[:, :2].T.cov())
    lifted, is_lifted = train[:, 2].mean(), test[:, 2]
    pen = is_lifted * lifted.log() + (1 - is_lifted) * (1 - lifted).log()
    log_density: Tensor = offsets.log_prob(test[:, :2])  # type: ignore[no-untyped-call]
    return {
        "baseline/loss": -float((log_density + pen).mean()),
        "baseline/pen_accuracy": float(((lifted > 0.5) == (is_lifted > 0.5)).double().mean()),
    }


def pen_points(loader: Any) -> Tensor:
    """Return all points ``(N, 3)`` of lines of handwriting but the first of each, in double precision."""
    points = torch.cat([strokes[:, 1:].flatten(0, 1) for strokes, _ in loader]).double()
    return points[points[:, 2] >= 0]


BASELINES: dict[str, Callable[[Any], dict[str, float]]] = {
    "majority": majority,
    "majority_in_validation": majority_in_validation,
    "half_the_bits": half_the_bits,
    "mean_target": mean_target,
    "mean_input": mean_input,
    "uniform_categories": uniform_categories,
    "uniform_colours": uniform_colours,
    "uniform_map": uniform_map,
    "pixel_means": pixel_means,
    "random_actions": random_actions,
    "zero_values": zero_values,
    "unigrams": unigrams,
    "six_grams": six_grams,
    "trigrams": trigrams,
    "tags_by_word": tags_by_word,
    "pixels_by_colour": pixels_by_colour,
    "ridge_of_frames": ridge_of_frames,
    "racing_expert": racing_expert,
    "racing_calm_expert": partial(racing_expert, expert=CalmExpert),
    "sees_no_cars": sees_no_cars,
    "one_gaussian": one_gaussian,
}
