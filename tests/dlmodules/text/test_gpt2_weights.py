import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dlmodules import GPT
from dlmodules.errors import UserError
from dlmodules.sequences.tokenizers import make_tokenizer
from dlmodules.text.gpt2_weights import load_gpt2

TEXT = "The fox saw the grapes, and the grapes were high up. " * 20


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small random GPT-2 of Hugging Face, moved away from its start, and its folder."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install -e '.[test]'")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=300, n_positions=32, n_embd=24, n_layer=3, n_head=4, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    )
    theirs = transformers.GPT2LMHeadModel(config).eval()
    for parameter in theirs.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    folder = tmp_path_factory.mktemp("gpt2")
    theirs.save_pretrained(folder)
    definition = make_tokenizer("byte_pairs", [TEXT], 300).plain()["definition"]
    transformers.PreTrainedTokenizerFast(tokenizer_file=_written(folder / "made.json", definition)).save_pretrained(
        folder
    )
    return theirs, folder


def _written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_its_logits_are_hugging_faces(saved: Any) -> None:
    theirs, folder = saved
    ours = load_gpt2(folder)
    tokens = torch.randint(300, (3, 32))
    with torch.no_grad():
        assert torch.allclose(ours(tokens), theirs(tokens).logits, atol=1e-4)
        logits, _ = ours.step(tokens[:, 20], ours.start(tokens[:, :20]))
        assert torch.allclose(logits, theirs(tokens[:, :21]).logits[:, -1], atol=1e-4)


def test_its_tokenizer_comes_with_it_and_it_writes(saved: Any, tmp_path: Path) -> None:
    import pytorch_lightning as pl

    theirs, folder = saved
    ours = load_gpt2(folder)
    assert ours.tokenizer is not None
    text = "The fox saw the grapes"
    assert ours.tokenizer.decode(ours.tokenizer.encode(text)) == text
    written = "".join(ours.generate_text(text, 5, generator=torch.Generator().manual_seed(0)))
    assert isinstance(written, str)
    score = ours.score(text)
    tokens = torch.tensor([ours.tokenizer.encode(text)])
    with torch.no_grad():
        loss = theirs(tokens, labels=tokens).loss
    assert score.nats / score.tokens == pytest.approx(float(loss), rel=1e-4)
    trainer = pl.Trainer(logger=False, default_root_dir=tmp_path, accelerator="cpu")
    trainer.strategy.connect(ours)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    again = GPT.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    assert again.score(text) == score


def test_errors_are_one_line(saved: Any, tmp_path: Path) -> None:
    _, folder = saved
    with pytest.raises(UserError, match=r"cannot read .*config\.json"):
        load_gpt2(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    for change, message in (
        ({"model_type": "bert"}, "is of a 'bert', not of a gpt2"),
        ({"activation_function": "relu"}, "activation_function='relu', which GPT-2 as published does not"),
        ({}, r"cannot read .*model\.safetensors"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(UserError, match=message):
            load_gpt2(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_layer": 2}))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"does not have the weights of config\.json"):
        load_gpt2(tmp_path)
