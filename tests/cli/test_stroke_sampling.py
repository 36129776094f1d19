"""``sample`` for modules of handwriting."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlmodules import HandwritingMDN, HandwritingSynthesis
from dlmodules_cli.main import main
from tests.quiet import quiet_trainer


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of each kind, named after its class."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for cls in (HandwritingMDN, HandwritingSynthesis):
        trainer = quiet_trainer(default_root_dir=folder)
        trainer.strategy.connect(cls(**cls.small_arguments))
        trainer.save_checkpoint(folder / f"{cls.__name__}.ckpt")
    return folder


def sampled(checkpoint: Path, output: Path, *more: str) -> np.ndarray:
    main(["sample", "--ckpt_path", str(checkpoint), "--output", str(output), *more])
    with Image.open(output / "samples.png") as picture:
        assert picture.size > (50, 50)
    found: np.ndarray = np.load(output / "samples.npz")["samples"]
    return found


@pytest.mark.parametrize("name", ["HandwritingMDN", "HandwritingSynthesis"])
def test_lines_are_drawn_and_kept(checkpoints: Path, tmp_path: Path, name: str) -> None:
    strokes = sampled(checkpoints / f"{name}.ckpt", tmp_path, "--num", "3", "--seed", "2")
    assert strokes.shape[::2] == (3, 3)
    assert set(np.unique(strokes[..., 2])) <= {-1.0, 0.0, 1.0}
    assert (strokes == sampled(checkpoints / f"{name}.ckpt", tmp_path, "--num", "3", "--seed", "2")).all()
    assert len(sampled(checkpoints / f"{name}.ckpt", tmp_path)) == 12


def test_a_prompt_is_written(checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = checkpoints / "HandwritingSynthesis.ckpt"
    assert len(sampled(model, tmp_path, "--prompt", "abc")) == 1
    assert f"1 lines: {tmp_path / 'samples.png'} and" in capsys.readouterr().out
    assert len(sampled(model, tmp_path, "--prompt", "abc", "--num", "4")) == 4
    (tmp_path / "texts.txt").write_text("ab\n\nc d\n")
    assert len(sampled(model, tmp_path, "--file", str(tmp_path / "texts.txt"))) == 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("HandwritingSynthesis", ("--prompt", "a!"), "'!' cannot be written: HandwritingSynthesis knows ' ABC"),
        ("HandwritingSynthesis", ("--prompt", "a", "--top_k", "3"), "HandwritingSynthesis chooses no tokens"),
        ("HandwritingSynthesis", ("--label", "1"), "HandwritingSynthesis is not conditional: leave --label out"),
        ("HandwritingMDN", ("--prompt", "a"), "HandwritingMDN writes no given text: leave --prompt and --file out"),
    ],
)
def test_mistakes_are_a_line(
    checkpoints: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: tuple[str, ...],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sample", "--ckpt_path", str(checkpoints / f"{name}.ckpt"), "--output", str(tmp_path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
