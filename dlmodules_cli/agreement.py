"""Whether a run was made by the configuration that a command asks for; its budget and surroundings may differ."""

from collections.abc import Iterator
from typing import Any

TRAINER = ("accumulate_grad_batches", "gradient_clip_algorithm", "gradient_clip_val")
"""What of the trainer decides the weights of a step. The rest is how long, where and with which pictures."""
SURROUNDINGS = frozenset({"cache_dir", "data_dir", "num_workers", "pin_memory", "progress", "rollouts_dir", "workers"})
"""What of the data does not change a batch."""
MODEL_ALONE = ("model",)
WHOLE = ("model", "data", "seed_everything", "trainer")


def differences(asked: dict[str, Any], saved: dict[str, Any], parts: tuple[str, ...] = WHOLE) -> list[str]:
    """Return where two configurations of a run differ, such as ``model.beta 1.0, you ask for 4.0``.

    Args:
        asked: the configuration of the command, plain values as in YAML.
        saved: the ``config.yaml`` of a run. An argument that only one of the two knows is of another version of
            the package and is not compared.
        parts: which of its top keys count.
    """
    return [
        f"{name} {_short(old)}, you ask for {_short(new)}"
        for part in parts
        for name, old, new in _compare(part, saved.get(part), asked.get(part))
    ]


def _compare(name: str, saved: Any, asked: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(saved, dict) and isinstance(asked, dict):
        old, new = saved.get("class_path"), asked.get("class_path")
        # By name: the same class may be written by its public and by its full path.
        if _last(old) != _last(new):
            yield name, _last(old), _last(new)
            return
        ignored = SURROUNDINGS if name == "data" else frozenset()
        for key in sorted((saved.keys() & asked.keys()) - ignored - {"class_path"}):
            if name == "trainer" and key not in TRAINER:
                continue
            # The command line leaves init_args out of the names of arguments, and so does the message.
            inner = name if key == "init_args" else f"{name}.{key}"
            yield from _compare(inner, saved[key], asked[key])
    elif saved != asked:
        yield name, saved, asked


def _last(path: Any) -> str:
    return str(path).rpartition(".")[2]


def _short(value: Any) -> str:
    return _last(value["class_path"]) if isinstance(value, dict) and "class_path" in value else str(value)
