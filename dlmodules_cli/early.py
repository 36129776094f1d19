"""What of a command line can be answered before torch is imported, which takes seconds."""

import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import datamodules
import dlmodules
from dlmodules.errors import UserError
from dlmodules_cli.class_paths import refuse_unknown_package, unknown_class
from dlmodules_cli.configs import find_config
from dlmodules_cli.given import words_of
from dlmodules_cli.runs import checkpoint_in
from dlmodules_cli.systems import example_for


def resolved(args: list[str]) -> list[str]:
    """Replace ``--config NAME`` by the file it means and the short name of a class of ours by its path.

    ``fit NAME`` is ``fit --config NAME``. A class of the same name in another imported package would else make the
    short name ambiguous.

    Raises:
        UserError: there is no such configuration, class, package or checkpoint.
    """
    found = list(args)
    if len(found) > 1 and not found[0].startswith("-") and not found[1].startswith("-"):
        found.insert(1, "--config")
    meant: dict[str, Callable[[str], str]] = dict.fromkeys(("--config", "-c"), find_config)
    meant |= dict.fromkeys(("--model", "--model.help"), lambda name: _class_path(name, dlmodules))
    meant |= dict.fromkeys(("--data", "--data.help"), lambda name: _class_path(name, datamodules))
    meant["--ckpt_path"] = lambda path: _checkpoint(path, "last" if found[0] == "fit" else "best")
    for index, arg in enumerate(found):
        option, equals, value = arg.partition("=")
        if option not in meant:
            continue
        if equals:
            found[index] = f"{option}={meant[option](value)}"
        elif index + 1 < len(found):
            found[index + 1] = meant[option](found[index + 1])
    return found


def refuse_half_a_choice(args: list[str]) -> None:
    """Raise UserError where neither a configuration nor both module and data are named."""
    options = [arg.partition("=")[0] for arg in args if arg.startswith("-")]
    if any(option in ("--config", "-c", "-h", "--print_config") or option.endswith("help") for option in options):
        return
    missing = [name for name in ("data", "model") if not any(re.match(rf"--{name}\b", option) for option in options)]
    if not missing:
        return
    model = next((value for word, value in pairwise(words_of(args)) if word == "--model"), "VAE")
    data, config = example_for(model.rpartition(".")[2])
    example = {"model": f"--model {model}", "data": f"--data {data}"}
    raise UserError(
        f"{' and '.join('--' + name for name in missing)} must be given, such as"
        f" {' '.join(example[name] for name in reversed(missing))}; or a --config, such as {config};"
        " `systems` lists what there is"
    )


def _class_path(name: str, package: Any) -> str:
    for ours in (dlmodules, datamodules):
        if name in ours.__all__:
            return f"{ours.__name__}.{name}"
    match = re.fullmatch(r"(?:(\w+)\.)?([A-Za-z_]\w*)", name)
    # Where torch is imported, a class of somebody else's may be known by its short name.
    nobody_elses = "torch" not in sys.modules
    if match and match[1] in (None, package.__name__) and match[2] not in package.__all__ and nobody_elses:
        raise UserError(unknown_class(name, package))
    if re.fullmatch(r"\w+(\.\w+)+", name) and not name.endswith((".yaml", ".yml", ".json")):
        refuse_unknown_package(name)
    return name


def _checkpoint(path: str, preferred: str) -> str:
    if path in ("last", "best", "null"):
        return path
    return str(checkpoint_in(Path(path), preferred))
