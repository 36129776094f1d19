"""Folders of models as Hugging Face keeps them: ``config.json``, ``model.safetensors``, ``tokenizer.json``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.sequences.byte_pairs import BytePairTokenizer

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


def read_config(folder: Path, model_type: str) -> dict[str, Any]:
    """Return the configuration in ``folder``. Raises UserError where it is missing, or of another type of models."""
    path = folder / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}") from error
    if config.get("model_type") != model_type:
        raise UserError(f"{path} is of a {config.get('model_type')!r}, not of a {model_type}")
    return config


def load_weights(
    module: nn.Module, folder: Path, renamed: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> BytePairTokenizer | None:
    """Give ``module`` the weights in ``folder`` under the names that ``renamed`` gives them; return the tokenizer.

    Raises:
        UserError: the file is missing or damaged, or does not have the weights of the configuration.
    """
    try:
        module.load_state_dict(renamed(load_file(folder / WEIGHTS)))
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot read {folder / WEIGHTS}: {error}") from error
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{folder / WEIGHTS} does not have the weights of {CONFIG}: {reason}") from error
    path = folder / TOKENIZER
    return BytePairTokenizer.of_file(path) if path.is_file() else None
