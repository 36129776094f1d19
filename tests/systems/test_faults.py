"""A run that is killed goes on to the weights of the unbroken one; one that is asked to end saves first.

Systems of one training loop are killed once: what each keeps besides is compared by the ladder's test of resuming.
"""

import pytest
import torch

from tests.systems.cases import CASES, FIRST, every_loop
from tests.systems.processes import in_a_process
from tests.systems.test_ladder import checkpoint, own_parts, same

EVERY_STEP = ["--trainer.callbacks+=callbacks.LastCheckpoint", "--trainer.callbacks.every_n_steps=1"]
RANKS_AGREE = "--trainer.callbacks+=tests.systems.probes.RanksAgree"
BUDGET = ["--trainer.limit_train_batches", "6", "--trainer.max_epochs", "3", "--trainer.max_steps", "-1"]


def trains_by_gradients(case):
    return case.is_network and getattr(case.module, "data_parallel", True)


def probe(name, step):
    return [f"--trainer.callbacks+=tests.systems.probes.{name}", f"--trainer.callbacks.step={step}"]


@pytest.mark.slow
@every_loop
def test_kill_in_a_step_and_kill_in_a_checkpoint_write(case, tmp_path, request):
    repository = request.config.rootpath
    torch.set_num_threads(1)
    unbroken = case.fit(tmp_path / "unbroken", *BUDGET)

    killed = case.arguments(tmp_path / "killed", *BUDGET, *EVERY_STEP)
    done = in_a_process([*killed, *probe("KillAtStep", 8)], repository, tmp_path / "said")
    assert done.returncode == -9, done.stderr
    folder = tmp_path / "killed" / case.config.stem / "version_0"
    assert checkpoint(folder)["global_step"] == 8

    done = in_a_process([*killed, *probe("KillInWrite", 14), "--ckpt_path", "last"], repository, tmp_path / "said")
    assert done.returncode == -9, done.stderr
    assert list((folder / "checkpoints").glob(".last.ckpt.*.tmp"))  # it died in the write
    assert checkpoint(folder)["global_step"] == 14  # and the one before is whole

    resumed = case.fit(tmp_path / "killed", *BUDGET, *EVERY_STEP, "--ckpt_path", "last")
    assert resumed == folder
    expected, found = checkpoint(unbroken), checkpoint(resumed)
    assert expected["global_step"] == found["global_step"] == 18
    for part in ("state_dict", "optimizer_states", "random_states"):
        assert same(expected[part], found[part]), part
    own = own_parts(case, expected)
    assert ("agent" in own) == case.is_agent
    assert not case.is_agent or case.small_data.__name__ in own
    assert own == own_parts(case, found)
    assert all(same(expected[part], found[part]) for part in own)


@pytest.mark.slow
@every_loop
def test_sigterm_saves_and_exits(case, tmp_path, request):
    more = [*BUDGET, *probe("TerminateAtStep", 8)]
    done = in_a_process(case.arguments(tmp_path, *more), request.config.rootpath, tmp_path / "said")
    assert done.returncode == 143, done.stderr
    assert "stopped by SIGTERM" in done.stderr
    assert "Traceback" not in done.stderr
    assert checkpoint(tmp_path / case.config.stem / "version_0")["global_step"] == 9


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in FIRST if trains_by_gradients(case)], ids=lambda case: case.name)
def test_two_processes_train_and_agree(case, tmp_path, request):
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without distributed training")
    # Processes that are forked train as those that are started anew, without the seconds of their imports.
    agree(in_two_processes("ddp_fork", case, tmp_path, request, RANKS_AGREE), tmp_path / case.config.stem)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in FIRST if not trains_by_gradients(case)], ids=lambda case: case.name)
def test_two_processes_are_refused(case, tmp_path, request):
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without distributed training")
    refused(in_two_processes("ddp_fork", case, tmp_path, request))


@pytest.mark.slow
def test_two_processes_that_are_started_anew_agree(tmp_path, request):
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without distributed training")
    case = next(case for case in CASES if case.config.stem == "vae_mnist")
    agree(in_two_processes("ddp", case, tmp_path, request, RANKS_AGREE), tmp_path / case.config.stem)


@pytest.mark.slow
def test_two_processes_that_are_started_anew_are_refused(tmp_path, request):
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without distributed training")
    case = next(case for case in FIRST if not trains_by_gradients(case))
    refused(in_two_processes("ddp", case, tmp_path, request))


def in_two_processes(strategy, case, folder, request, *more):
    devices = ["--trainer.strategy", strategy, "--trainer.devices", "2", "--trainer.max_steps", "6"]
    return in_a_process(case.arguments(folder, *devices, *more), request.config.rootpath, folder / "said")


def refused(done):
    assert done.returncode == 2
    assert done.stderr.count("error: ") >= 1
    assert "Traceback" not in done.stderr


def agree(done, runs):
    assert done.returncode == 0, done.stderr
    assert "2 ranks agree after 6 steps" in done.stdout
    assert [path.name for path in runs.iterdir()] == ["version_0"]
