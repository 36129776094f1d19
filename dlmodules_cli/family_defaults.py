"""How long a run without a configuration file lasts, and which pictures it draws: by the family of its module."""

import json
from typing import Any, NamedTuple

from dlmodules_cli.given import class_after, words_of

MOMENTS = 5
"""A default budget has so many moments at which pictures are drawn."""

LOGGED_EVERY = 10
"""Steps between two values of a curve: an epoch of a small data set has few, and Lightning waits for 50."""


class Budget(NamedTuple):
    """How long a training lasts: options of the trainer, in words, and the option that changes it."""

    options: dict[str, int]
    words: str
    change: str


class Defaults(NamedTuple):
    """What a run gets that says nothing of it. ``pictures`` are callbacks with their arguments."""

    budget: Budget
    pictures: dict[str, dict[str, int]]


def _epochs(number: int, *pictures: str) -> Defaults:
    budget = Budget({"max_epochs": number}, f"{number} epoch{'s' if number > 1 else ''}", "--trainer.max_epochs")
    return Defaults(budget, {name: {"every_n_epochs": max(1, number // MOMENTS)} for name in pictures})


def _steps(number: int, *pictures: str) -> Defaults:
    budget = Budget({"max_epochs": -1, "max_steps": number}, f"{number:,} steps", "--trainer.max_steps")
    return Defaults(budget, {name: {"every_n_steps": number // MOMENTS} for name in pictures})


_AGENTS = Defaults(
    Budget({"max_epochs": -1}, "the total_steps of the environment", "--data.total_steps"),
    {"EpisodeVideo": {"every_n_epochs": 5}, "LossCurve": {"every_n_epochs": 5}},
)
_PLANNERS = Defaults(
    _AGENTS.budget._replace(words="the total_steps of the environment, in sweeps, or until no value changes"),
    {**_AGENTS.pictures, "TablePicture": {"every_n_epochs": 5}},
)
BY_FAMILY = {
    "autoencoders": _epochs(20, "Reconstructions", "LossCurve"),
    "classifiers": _epochs(20, "LossCurve"),
    "densities": _epochs(1),
    "driving": _epochs(30, "SteeringPictures", "LossCurve"),
    "energy": _epochs(20, "SampleGrid", "WeightPictures", "Reconstructions", "LossCurve"),
    "estimators": _epochs(1, "ConfusionMatrix"),
    "gans": _steps(1000, "SampleGrid", "LossCurve"),
    "regression": _epochs(50, "LossCurve"),
    "rl": _AGENTS,
    "style": _steps(2000, "Stylizations", "LossCurve"),
    "text": _steps(2000, "TextSamples", "LossCurve"),
    "translation": _steps(2000, "Translations", "LossCurve"),
    "vaes": _epochs(30, "Reconstructions", "LatentMap", "SampleGrid", "LossCurve"),
    "world_models": _epochs(20, "DreamRows", "LossCurve"),
}
"""By the package in ``dlmodules``: what the configurations of the family have in common, and a budget of minutes."""
BY_CLASS = {
    "ALVINN": _epochs(40, "LossCurve"),
    "BERT": _steps(2000, "LossCurve"),
    "ChauffeurNet": _epochs(3, "PlannedWays", "LossCurve"),
    "ConvDBN": _epochs(6, "WeightPictures", "Reconstructions", "LossCurve"),
    "CountingRNN": _epochs(20, "LossCurve"),
    "HandwritingMDN": _steps(2000, "StrokeSamples", "LossCurve"),
    "HandwritingSynthesis": _steps(2000, "StrokeSamples", "LossCurve"),
    "NGram": _epochs(1, "TextSamples"),
    "NeuralStyle": _steps(10, "Stylizations", "LossCurve"),
    "PixelNaiveBayes": _epochs(1, "SampleGrid"),
    "PointerNetwork": _steps(2000, "LossCurve"),
    "PolicyEvaluation": _PLANNERS,
    "PolicyIteration": _PLANNERS,
    "QuestionGenerator": _steps(2000, "PairSamples", "AnswerProbabilities", "LossCurve"),
    "Seq2Seq": _steps(2000, "PairSamples", "LossCurve"),
    "StateAutoencoder": _epochs(20, "LossCurve"),  # its states are no images
    "Transformer": _steps(2000, "PairSamples", "LossCurve"),
    "ValueIteration": _PLANNERS,
    "Word2Vec": _epochs(5, "NearestWords", "EmbeddingMap", "LossCurve"),
}
"""Classes that differ from their family."""
OF_THE_DATA = {"pictures": "RowPictures", "is_land": "BoxPicture"}
"""What a density is drawn by, where the data module has a method of this name."""


def with_defaults(args: list[str]) -> tuple[list[str], str | None]:
    """Return ``args`` with the defaults of the module's family, and a line that says so; None where none is added.

    Only ``fit --model X`` without a configuration file gets any. What the command line says of budget or callbacks
    holds.
    """
    words = words_of(args)
    model = class_after("--model", words)
    found = defaults_of(model, class_after("--data", words))
    if words[:1] != ["fit"] or model is None or found is None or {"--config", "-c", "--trainer"} & set(words):
        return args, None
    given = [word for word in words if word.startswith("--trainer.")]
    if any(word.startswith("--trainer.fast_dev_run") for word in given):
        return args, None
    added, said = [], []
    if not any(word.startswith("--trainer.max_") for word in given):
        added += [f"--trainer.{name}={value}" for name, value in found.budget.options.items()]
        said.append(f"trains for {found.budget.words} ({found.budget.change} changes that)")
    if not any(word.startswith("--trainer.callbacks") for word in given) and found.pictures:
        chosen = [{"class_path": f"callbacks.{name}", "init_args": more} for name, more in found.pictures.items()]
        added.append(f"--trainer.callbacks={json.dumps(chosen)}")
        said.append(f"draws {', '.join(found.pictures)} (--trainer.callbacks changes that; [] draws nothing)")
    if not said:
        return args, None
    if not any(word.startswith("--trainer.log_every_n_steps") for word in given):
        added.append(f"--trainer.log_every_n_steps={LOGGED_EVERY}")
    return [args[0], *added, *args[1:]], f"without a configuration file {model.__name__} {' and '.join(said)}"


def defaults_of(model: Any, data: Any = None) -> Defaults | None:
    """Return the defaults for a class of modules, by the nearest of its bases that is ours; None where none is."""
    for cls in getattr(model, "__mro__", ()):
        package, *rooms = cls.__module__.split(".")
        if package != "dlmodules" or not rooms:
            continue
        found = BY_CLASS.get(cls.__name__) or BY_FAMILY.get(rooms[0])
        if found is None:
            continue
        if rooms[0] == "densities":
            drawn = {picture: {"every_n_epochs": 1} for method, picture in OF_THE_DATA.items() if hasattr(data, method)}
            return found._replace(pictures={**found.pictures, **drawn})
        return found
    return None
