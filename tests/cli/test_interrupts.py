"""Ctrl-C."""

import os
import signal

import pytest

from dlmodules_cli.interrupts import TrainingInterruptedError, interrupts_end_the_step
from dlmodules_cli.main import main
from tests.systems.processes import in_a_process
from tests.systems.test_ladder import checkpoint, same

FIT = [
    *["fit", "--config", "configs/vaes/vae_digits.yaml", "--trainer.max_epochs", "2"],
    *["--trainer.limit_train_batches", "6", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"],
    *["--trainer.enable_progress_bar", "false", "--trainer.callbacks", "[]", "--data.batch_size", "8"],
]


def probe(step, times=1):
    return [
        "--trainer.callbacks+=tests.cli.probes.InterruptAtStep",
        *[f"--trainer.callbacks.step={step}", f"--trainer.callbacks.times={times}"],
    ]


def interrupted(folder, request, *more, times=1):
    arguments = [*FIT, "--trainer.default_root_dir", str(folder), *probe(2, times), *more]
    done = in_a_process(arguments, request.config.rootpath, folder / "said")
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_it_finishes_the_step_saves_and_the_run_goes_on(tmp_path, request, capsys):
    assert interrupted(tmp_path, request) == "stopped by Ctrl-C; go on with --ckpt_path last"
    folder = tmp_path / "vae_digits" / "version_0"
    assert checkpoint(folder)["global_step"] == 3
    main([*FIT, "--trainer.default_root_dir", str(tmp_path), "--ckpt_path", "last"])
    assert f"resuming {folder}/checkpoints/last.ckpt at step 3" in capsys.readouterr().out
    main([*FIT, "--trainer.default_root_dir", str(tmp_path)])
    assert same(checkpoint(folder)["state_dict"], checkpoint(folder.with_name("version_1"))["state_dict"])


def test_it_leaves_the_workers_to_finish_the_step(tmp_path, request):
    line = interrupted(tmp_path, request, "--data.num_workers", "2")
    assert line == "stopped by Ctrl-C; go on with --ckpt_path last"
    assert checkpoint(tmp_path / "vae_digits" / "version_0")["global_step"] == 3


def test_the_second_time_it_ends_at_once(tmp_path, request):
    interrupted(tmp_path, request, times=2)
    assert not list(tmp_path.glob("*/version_0/checkpoints/last.ckpt"))


def test_where_no_trainer_listens_it_is_a_keyboard_interrupt():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupts_end_the_step():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_exits_pass():
    with pytest.raises(SystemExit) as stop, interrupts_end_the_step():
        raise SystemExit(2)
    assert stop.value.code == 2
    assert not isinstance(stop.value, TrainingInterruptedError)
