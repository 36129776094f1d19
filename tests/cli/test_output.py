"""What a run prints into a pipe: a summary without zeros, a line an epoch, and no notes of dependencies."""

import re
import warnings
from pathlib import Path

import pytest
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import RichProgressBar

import callbacks
from callbacks.run.console import NetworkSummary, once_each
from callbacks.run.loggers import RunWandbLogger
from callbacks.run.throttled_progress_bar import ThrottledProgressBar
from dlmodules_cli.main import main
from dlmodules_cli.noise import quieten

GAN = ["fit", "--model", "GAN", "--data", "DigitsDataModule", "--data.batch_size", "64", "--trainer.callbacks", "[]"]


def test_a_pipe_gets_a_line_an_epoch(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    budget = ["--trainer.max_epochs", "-1", "--trainer.max_steps", "40", "--trainer.accelerator", "cpu"]
    budget += ["--trainer.log_every_n_steps", "10"]
    main([*GAN, *budget, "--trainer.default_root_dir", str(tmp_path)])
    out, err = capfd.readouterr()
    lines = [line for line in out.splitlines() if line.startswith("epoch ")]
    assert re.match(r"epoch 1, step 40, \d+\.\d s, train/d_loss [\d.]+", lines[-1])
    assert re.search(r"^[\d,]+ trainable parameters", out, re.MULTILINE)
    for noise in ("v_num", "/-2", "FLOPs", "anonymous", "eval mode", "already configured"):
        assert noise not in out + err


def test_the_summary_leaves_out_what_has_no_weights(capsys):
    for weights, shown in (("0  ", False), ("1.3 M", True)):
        NetworkSummary.summarize([("", ["0"]), ("Name", ["part"]), ("Type", ["X"]), ("Params", [weights])], 0, 0, 0.0)
        out = capsys.readouterr().out
        assert ("part" in out) == ("Name" in out) == shown
        assert out.endswith("0 trainable parameters\n")


def test_a_warning_of_ours_is_one_line_and_others_keep_their_place(recwarn, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    quieten()
    ours = str(Path(callbacks.__file__).parent / "base" / "media.py")
    assert warnings.formatwarning("a picture", UserWarning, ours, 3) == "warning: a picture\n"
    assert "torch.py:3: UserWarning: odd" in warnings.formatwarning("odd", UserWarning, "/x/torch.py", 3)
    assert "media.py:3" in warnings.formatwarning("old", DeprecationWarning, ours, 3)


def test_a_terminals_bar_shows_no_version_and_no_negative_epoch():
    bar = ThrottledProgressBar()
    for budget, expected in ((-1, "Epoch 3"), (30, "Epoch 3/29")):
        bar._trainer = Trainer(max_epochs=budget, accelerator="cpu", logger=False, enable_checkpointing=False)
        assert bar._get_train_description(3).strip() == expected
    assert once_each({"v_num": "1", "a": 1, "b_step": 2, "b_epoch": 3}) == {"a": 1, "b_epoch": 3}


def test_the_private_parts_of_lightning_are_still_there(tmp_path):
    assert callable(RichProgressBar._get_train_description)
    assert "anonymous" not in RunWandbLogger(tmp_path / "version_0", "abc")._wandb_init


@pytest.mark.parametrize("option", ["--trainer.enable_model_summary", "--trainer.enable_progress_bar"])
def test_either_can_be_left_out(tmp_path, capsys, option):
    main([*GAN, option, "false", "--trainer.max_steps", "1", "--trainer.accelerator", "cpu",
          "--trainer.limit_val_batches", "0", "--trainer.default_root_dir", str(tmp_path)])  # fmt: skip
    out = capsys.readouterr().out
    assert ("trainable parameters" in out) == ("summary" not in option)
    assert bool(re.search("^epoch 0", out, re.MULTILINE)) == ("bar" not in option)
