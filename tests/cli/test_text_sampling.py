"""``sample`` for language models."""

from pathlib import Path

import pytest
import torch

from dlmodules import NGram, RecurrentLanguageModel
from dlmodules.sequences.decoding import Decoding
from dlmodules.sequences.vocabulary import Vocabulary
from dlmodules_cli.main import main

FIT = [
    *["fit", "--model", "RecurrentLanguageModel", "--model.vocabulary_size", "100", "--model.hidden_dim", "16"],
    *["--data", "CorpusDataModule", "--trainer.max_steps", "3", "--trainer.limit_val_batches", "0"],
    *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--trainer.callbacks", "[]"],
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        main([*FIT, "--trainer.default_root_dir", str(root), "--data.cache_dir", str(root / "cache")])
    (checkpoint,) = root.glob("*/version_0/checkpoints/last.ckpt")
    return checkpoint.parent.parent


def sampled(run: Path, output: Path, *more: str) -> str:
    main(["sample", str(run), "--output", str(output), *more])
    return (output / "samples.txt").read_text()


def test_a_text_is_streamed_and_written(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = sampled(run, tmp_path, "--prompt", "The data", "--num", "40", "--seed", "3")
    assert text.startswith("The data")
    assert len(text) == len("The data") + 40
    said = capsys.readouterr().out
    assert f"{text}\n40 tokens, temperature 1: {tmp_path / 'samples.txt'}" in said
    assert sampled(run, tmp_path, "--prompt", "The data", "--num", "40", "--seed", "3") == text
    assert sampled(run, tmp_path, "--prompt", "The data", "--num", "40", "--seed", "4") != text


def test_words_have_blanks_between_them(tmp_path: Path) -> None:
    tokenizer = Vocabulary(["the", "fox", "saw"])
    model = NGram(order=2, vocabulary_size=5)
    model.tokenizer = tokenizer
    model.count([torch.tensor(tokenizer.encode("the fox saw the fox saw the fox"))])
    assert "".join(model.generate_text("The", 4, Decoding(temperature=0))) == " fox saw the fox"
    assert model.most_probable_texts("The", 4, 3)[0][0] == " fox saw the fox"
    assert model.first_prompt() == "the"


def test_without_words_it_begins_a_line(run: Path, tmp_path: Path) -> None:
    text = sampled(run, tmp_path)
    assert text.startswith("\n")
    assert len(text) == 301


def test_temperature_0_is_greedy_and_says_so(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {sampled(run, tmp_path, "--temperature", "0", "--num", "20", "--seed", seed) for seed in "01"}
    assert len(texts) == 1
    assert "20 tokens, greedy" in capsys.readouterr().out
    assert sampled(run, tmp_path, "--top_k", "1", "--num", "20") in texts
    assert sampled(run, tmp_path, "--top_p", "0.0001", "--num", "20") in texts


def test_a_beam_is_no_less_probable_than_greedy(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    greedy = sampled(run, tmp_path, "--prompt", "The data", "--num", "8", "--temperature", "0")
    capsys.readouterr()
    found = sampled(run, tmp_path, "--prompt", "The data", "--num", "8", "--beam", "6")
    assert "8 tokens, beam 6, -" in capsys.readouterr().out
    model = RecurrentLanguageModel.load_from_checkpoint(run / "checkpoints" / "last.ckpt", weights_only=True).eval()
    assert model.score(found).nats <= model.score(greedy).nats + 1e-4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--prompt", "☃"], "the character '☃' is none that the model was trained on"),
        (["--prompt", ""], "the text has no tokens: give at least one"),
        (["--temperature", "-1"], "temperature is -1.0; it must be 0, which is greedy, or more"),
        (["--beam", "0"], "beam is 0; it must be 1 or more"),
        (["--top_k", "0"], "top_k is 0; it must be 1 or more"),
        (["--top_p", "2"], r"top_p is 2.0; it must lie in (0, 1]"),
        (["--label", "3"], "RecurrentLanguageModel is not conditional: leave --label out"),
    ],
)
def test_mistakes_end_in_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sample", str(run), "--output", str(tmp_path), *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_what_writes_no_text_takes_no_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pytorch_lightning as pl

    from dlmodules import VAE

    trainer = pl.Trainer(logger=False, default_root_dir=tmp_path, accelerator="cpu")
    trainer.strategy.connect(VAE((1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "vae.ckpt")
    with pytest.raises(SystemExit):
        main(["sample", str(tmp_path / "vae.ckpt"), "--output", str(tmp_path), "--prompt", "a"])
    assert "VAE writes no text: leave --prompt out" in capsys.readouterr().err
