"""GPT-2's weights as Hugging Face keeps them, and the GPT that they are of."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.text.gpt import GPT
from dlmodules.text.hugging_face import CONFIG, load_weights, read_config

NAMES = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.inputs",
    "attn.c_proj": "attention.output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.hidden",
    "mlp.c_proj": "feed_forward.output",
}
"""The parts of a layer by Hugging Face's names."""


def load_gpt2(folder: str | Path) -> GPT:
    """Return the GPT of a folder with ``config.json``, ``model.safetensors`` and, if it is there, ``tokenizer.json``.

    So a download of ``gpt2`` or ``gpt2-medium`` from Hugging Face looks, and what ``save_pretrained`` writes.

    Raises:
        UserError: a file is missing or damaged, or is not of GPT-2.
    """
    folder = Path(folder).expanduser()
    config = _read_config(folder)
    model = GPT(
        vocabulary_size=config["vocab_size"],
        context=config["n_positions"],
        num_layers=config["n_layer"],
        num_heads=config["n_head"],
        width=config["n_embd"],
    )
    model.tokenizer = load_weights(model.network, folder, renamed)
    return model.eval()


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return Hugging Face's weights under the names that ``CausalTransformer`` has, its matrices transposed.

    Theirs are ``(in, out)``; buffers of masks, and the last layer that is the embedding, are left out.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        name = name.removeprefix("transformer.")
        if name == "wte.weight":
            found["embedding.weight"] = tensor
        elif name == "wpe.weight":
            found["position_embedding.weight"] = tensor
        elif name.startswith("ln_f."):
            found[name.replace("ln_f", "last_norm")] = tensor
        elif name.startswith("h."):
            _, number, rest = name.split(".", 2)
            part, _, kind = rest.rpartition(".")
            if part in NAMES:
                transposed = kind == "weight" and tensor.ndim == 2
                found[f"layers.{number}.{NAMES[part]}.{kind}"] = tensor.T.contiguous() if transposed else tensor
    return {name: tensor.to(torch.float32) for name, tensor in found.items()}


def _read_config(folder: Path) -> dict[str, Any]:
    config = read_config(folder, "gpt2")
    other = {"activation_function": "gelu_new", "n_inner": None, "scale_attn_by_inverse_layer_idx": False}
    for name, value in other.items():
        if config.get(name, value) not in (value, 4 * config["n_embd"] if name == "n_inner" else value):
            raise UserError(f"{folder / CONFIG} has {name}={config[name]!r}, which GPT-2 as published does not")
    return config
