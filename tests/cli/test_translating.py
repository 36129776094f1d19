"""``sample`` for models that write a text for a text."""

from pathlib import Path

import pytest

from dlmodules_cli.main import main

FIT = [
    *["fit", "--model", "Seq2Seq", "--model.source_vocabulary_size", "60", "--model.target_vocabulary_size", "16"],
    *["--model.embedding_dim", "8", "--model.hidden_dim", "8", "--model.max_length", "12", "--data", "DatesDataModule"],
    *["--data.train_size", "200", "--trainer.max_steps", "3", "--trainer.limit_val_batches", "0"],
    *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--trainer.callbacks", "[]"],
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        main([*FIT, "--trainer.default_root_dir", str(root)])
    (checkpoint,) = root.glob("*/version_0/checkpoints/last.ckpt")
    return checkpoint.parent.parent


def translated(run: Path, output: Path, *more: str) -> list[str]:
    main(["sample", str(run), "--output", str(output), *more])
    return (output / "samples.txt").read_text().removesuffix("\n").split("\n")


def test_a_prompt_and_a_file_are_translated(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dates.txt"
    file.write_text("5 may 1998\n\n  6 june 1999 \n")
    lines = translated(run, tmp_path / "out", "--file", str(file), "--beam", "2")
    said = capsys.readouterr().out
    assert len(lines) == 3
    assert lines[1] == ""
    assert f"5 may 1998\n    {lines[0]}\n" in said
    assert f"3 lines: {tmp_path / 'out' / 'samples.txt'}" in said
    assert translated(run, tmp_path / "one", "--prompt", "6 june 1999", "--beam", "2") == [lines[2]]
    greedy = translated(run, tmp_path / "greedy", "--prompt", "6 june 1999", "--beam", "1")
    assert len(greedy) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], 'Seq2Seq writes a text for a text: give one by --prompt "...", or a file by --file'),
        (["--prompt", "5 may", "--file", "x"], "give one by --prompt"),
        (["--file", "none.txt"], "there is no file none.txt"),
        (["--prompt", " "], "the prompt has no text"),
        (["--prompt", "5 € 1998"], "the character '€' is none that the model was trained on"),
        (["--prompt", "5 may", "--temperature", "0.5"], "it takes --prompt, --file and --beam"),
        (["--prompt", "5 may", "--label", "1"], "Seq2Seq is not conditional: leave --label out"),
        (["--prompt", "5 may", "--beam", "0"], "beam is 0; it must be 1 or more"),
    ],
)
def test_mistakes_end_in_one_line(
    run: Path, tmp_path: Path, words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sample", str(run), "--output", str(tmp_path / "out"), *words])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert error in said
    assert len(said.strip().splitlines()) == 1
