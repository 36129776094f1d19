"""``score``: what a language model finds of texts in files."""

import re
from math import exp, log
from pathlib import Path

import pytest
import pytorch_lightning as pl

from dlmodules import VAE
from dlmodules.checkpoints.loading import load_module
from dlmodules.protocols import ScoresText
from dlmodules_cli.main import main
from tests.cli.test_text_sampling import run as run

WORDS = "The data of this package, and the end of it.\n"


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A folder of two texts, and of a file that is none."""
    folder = tmp_path / "letters"
    (folder / "more").mkdir(parents=True)
    (folder / "first.txt").write_text(WORDS)
    (folder / "more" / "second.txt").write_text(WORDS[:9])
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def test_each_text_and_all_together_are_scored(run: Path, letters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_module(str(run / "checkpoints" / "last.ckpt"))
    assert isinstance(model, ScoresText)
    main(["score", str(run), "--input", str(letters)])
    *_, first, second, both = capsys.readouterr().out.splitlines()
    nats = [model.score(text).nats for text in (WORDS, WORDS[:9])]
    mean = nats[0] / (len(WORDS) - 1)
    bits = nats[0] / log(2) / len(WORDS)
    assert first == (
        f"{letters / 'first.txt'}: {len(WORDS) - 1} tokens, {mean:.3f} nats each, perplexity {exp(mean):.4g},"
        f" {bits:.3f} bits a character"
    )
    assert second.startswith(f"{letters / 'more' / 'second.txt'}: 8 tokens, ")
    together = sum(nats) / (len(WORDS) + 7)
    assert both.startswith(f"2 texts: {len(WORDS) + 7} tokens, {together:.3f} nats each, ")


def test_a_single_file_is_scored_whatever_its_name(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter").write_text(WORDS)
    main(["score", str(run), "--input", str(tmp_path / "letter")])
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{tmp_path / 'letter'}: {len(WORDS) - 1} tokens")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"x", "the text has 1 tokens"), (b"\xff\xfe\xfa", "UTF-8"), (None, "no file in .* whose name ends in .txt")],
)
def test_what_cannot_be_scored_ends_in_one_line(
    run: Path, tmp_path: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    if content is not None:
        (folder / "a.txt").write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["score", str(run), "--input", str(folder)])
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert re.search(words, line)


def test_who_scores_no_texts_says_so(tmp_path: Path, letters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = pl.Trainer(logger=False, default_root_dir=tmp_path, accelerator="cpu")
    trainer.strategy.connect(VAE((1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "vae.ckpt")
    with pytest.raises(SystemExit):
        main(["score", str(tmp_path / "vae.ckpt"), "--input", str(letters)])
    assert capsys.readouterr().err == "error: VAE scores no texts: it has no `score`\n"
