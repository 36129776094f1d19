"""BERT's weights as Hugging Face keeps them, and the BERT that they are of."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.text.bert import BERT
from dlmodules.text.hugging_face import CONFIG, load_weights, read_config

WHOLE = {
    "bert.embeddings.word_embeddings.weight": "network.embedding.weight",
    "bert.embeddings.position_embeddings.weight": "network.position_embedding.weight",
    "bert.embeddings.token_type_embeddings.weight": "network.segment_embedding.weight",
    "cls.predictions.bias": "masked_head.bias",
}
BEGINNINGS = {
    "bert.embeddings.LayerNorm": "network.embedding_norm",
    "bert.pooler.dense": "next_head.pooler.hidden",
    "cls.predictions.transform.dense": "masked_head.hidden",
    "cls.predictions.transform.LayerNorm": "masked_head.norm",
    "cls.seq_relationship": "next_head.output",
}
PARTS = {
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.hidden",
    "output.dense": "feed_forward.output",
    "output.LayerNorm": "feed_forward_norm",
}
"""The parts of a layer by Hugging Face's names; queries, keys and values are one matrix here."""


def load_bert(folder: str | Path) -> BERT:
    """Return the BERT of a folder with ``config.json``, ``model.safetensors`` and, if it is there, ``tokenizer.json``.

    So a download of ``bert-base-uncased`` from Hugging Face looks, and what ``save_pretrained`` of a
    ``BertForPreTraining`` writes. Its logit 1 of the next sentence is theirs for 0: here 1 says that it follows.

    Raises:
        UserError: a file is missing or damaged, or is not of BERT with both heads.
    """
    folder = Path(folder).expanduser()
    config = _read_config(folder)
    model = BERT(
        vocabulary_size=config["vocab_size"],
        context=config["max_position_embeddings"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        width=config["hidden_size"],
        hidden_width=config["intermediate_size"],
    )
    model.tokenizer = load_weights(model, folder, partial(renamed, num_layers=config["num_hidden_layers"]))
    return model.eval()


def renamed(weights: dict[str, Tensor], num_layers: int) -> dict[str, Tensor]:
    """Return Hugging Face's weights under the names that ``BERT`` has."""
    found = {ours: weights[theirs] for theirs, ours in WHOLE.items()}
    for theirs, ours in BEGINNINGS.items():
        found |= {f"{ours}.{kind}": weights[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
    for kind in ("weight", "bias"):
        found[f"next_head.output.{kind}"] = found[f"next_head.output.{kind}"].flip(0)
    for number in range(num_layers):
        before, after = f"bert.encoder.layer.{number}", f"network.layers.{number}"
        for kind in ("weight", "bias"):
            three = [weights[f"{before}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            found[f"{after}.attention.inputs.{kind}"] = torch.cat(three)
            found |= {f"{after}.{ours}.{kind}": weights[f"{before}.{theirs}.{kind}"] for theirs, ours in PARTS.items()}
    return {name: tensor.to(torch.float32) for name, tensor in found.items()}


def _read_config(folder: Path) -> dict[str, Any]:
    config = read_config(folder, "bert")
    other = {"hidden_act": "gelu", "position_embedding_type": "absolute", "type_vocab_size": 2, "layer_norm_eps": 1e-12}
    for name, value in other.items():
        if config.get(name, value) != value:
            raise UserError(f"{folder / CONFIG} has {name}={config[name]!r}, which BERT as published does not")
    return config
