"""Rows on a lent GPU: what is worth most first, nothing begun that does not fit, nothing recorded that was cut."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, run
from benchmarks.context import Context, run_command
from benchmarks.gpu import NO_GPU, measure_on_gpu, waiting
from benchmarks.instruments.on_device import DeviceBatches, OnDevice
from benchmarks.programs import fine_tuning, scores
from benchmarks.record import read_records
from benchmarks.rows import ROWS
from datamodules import CorpusDataModule, DigitsDataModule
from dlmodules import GPT, MLPClassifier
from dlmodules.errors import UserError
from dlmodules.layers import RandomShiftAndFlip
from tests.quiet import quiet_trainer

MARKED = [
    "resnet20_cifar10_gpu",
    "vae_binarized_mnist",
    "dcgan_mnist",
    "colorization_cifar10_gpu",
    "densenet100_cifar10_gpu",
    "gpt_tinyshakespeare_gpu",
    "bert_classifier_imdb",
    "bert_classifier_imdb_anew",
    "transformer_multi30k",
    "seq2seq_multi30k",
    "question_generator_facts",
]


def test_what_is_worth_most_comes_first_and_what_has_a_record_not_at_all(tmp_path):
    found = waiting(tmp_path)
    assert list(dict.fromkeys(row.name for row, _ in found)) == MARKED
    assert [seed for row, seed in found if row.name == "vae_binarized_mnist"] == [0, 1, 2]
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "resnet20_cifar10_gpu-seed0.json").touch()
    assert waiting(tmp_path)[0][0].name == "vae_binarized_mnist"
    assert waiting(tmp_path, everything=True)[0][0].name == "resnet20_cifar10_gpu"
    assert [row.name for row, _ in waiting(tmp_path, ["dcgan_mnist"])] == ["dcgan_mnist"]
    assert [seed for _, seed in waiting(tmp_path, ["vae_binarized_mnist"], seeds=[1, 2])] == [1, 2]
    with pytest.raises(ValueError, match="'mlp_mnist' is not marked for a GPU; those that are: resnet20"):
        waiting(tmp_path, ["mlp_mnist"])


def test_a_row_of_a_gpu_is_run_only_there_and_says_what_it_costs(capsys):
    rows = [row for row in ROWS.values() if row.gpu]
    assert sorted(row.gpu.place for row in rows) == list(range(1, len(MARKED) + 1))
    assert all(0 < row.gpu.minutes <= 8 for row in rows)
    assert run.main(["--list"]) == 0
    assert "with --gpu, 6 minutes a seed" in capsys.readouterr().out


def test_what_does_not_fit_is_left_out(tmp_path, monkeypatch, capsys):
    now, done = [0.0], []
    monkeypatch.setattr(gpu.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def measure(row, seed, context):
        done.append((row.name, seed, context.device, context.deadline))
        now[0] += 60 * row.gpu.minutes
        return True

    assert measure_on_gpu(waiting(tmp_path), 8.0, Context(), measure) == 0
    # Six minutes, then one of those of one and a half.
    assert done == [("resnet20_cifar10_gpu", 0, "cuda", 480.0), ("vae_binarized_mnist", 0, "cuda", 480.0)]
    assert "dcgan_mnist seed 0: left out, takes 5 minutes of which 0.5 are left" in capsys.readouterr().out
    assert measure_on_gpu(waiting(tmp_path)[:1], 8.0, Context(), lambda *_: False) == 1


def test_without_a_gpu_there_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run.main(["--gpu", "--minutes", "8", "--work", str(tmp_path)]) == 2
    assert capsys.readouterr().err == NO_GPU + "\n"
    assert run.main(["--gpu", "mlp_mnist"]) == 2
    assert "is not marked for a GPU" in capsys.readouterr().err


def test_what_the_time_cuts_leaves_no_record(tmp_path, monkeypatch, capsys):
    context = Context(work=tmp_path, records=tmp_path / "records", device="cpu", deadline=time.monotonic() + 1)
    with pytest.raises(UserError, match="cut by the time"):
        run_command(["-c", "import time; time.sleep(60)"], context)
    threads = torch.get_num_threads()
    row = replace(ROWS["dcgan_mnist"], cost="hours")
    assert run.recorded(row, 0, replace(context, threads=threads + 1)) is False
    assert torch.get_num_threads() == threads
    assert "dcgan_mnist seed 0: cut by the time: no record" in capsys.readouterr().err
    assert not (tmp_path / "records").exists()


def test_a_row_that_goes_as_far_as_the_time_keeps_some_for_its_test(tmp_path, monkeypatch):
    row = ROWS["densenet100_cifar10_gpu"]
    monkeypatch.setattr("benchmarks.context.time.monotonic", lambda: 100.0)
    assert scores.limit(row, Context(deadline=265.5)) == ["--trainer.max_time", "00:00:02:05"]
    assert scores.limit(row, Context(deadline=110.0)) == ["--trainer.max_time", "00:00:00:01"]
    assert scores.limit(row, Context()) == []
    assert scores.limit(ROWS["resnet20_cifar10_gpu"], Context(deadline=265.5)) == []
    (tmp_path / "metrics.csv").write_text("step,val/loss,epoch\n1,,0\n5,0.3,0\n9,,1\n10,0.2,1\n12,,2\n")
    assert scores.epochs_done(tmp_path / "metrics.csv") == 2.0


def test_batches_on_a_device_are_those_of_the_data_module():
    data = DigitsDataModule(image_size=16, batch_size=100, drop_last=True)
    data.setup()
    device = torch.device("cpu")
    ours = DeviceBatches(data.val_set, device, 100)
    loader = data.val_dataloader()
    assert len(ours) == len(loader)
    for (x, y), (expected, labels) in zip(ours, loader, strict=True):
        assert torch.equal(x, expected)
        assert torch.equal(y, labels)
    shuffled = DeviceBatches(data.train_set, device, 100, shuffle=True, drop_last=True)
    assert len(list(shuffled)) == len(shuffled) == len(data.train_dataloader())
    first, second = (torch.cat([y for _, y in shuffled]) for _ in range(2))
    assert not torch.equal(first, second)
    everything = DeviceBatches(data.train_set, device, 100, shuffle=True)
    labels = torch.cat([y for _, y in everything]).bincount()
    assert torch.equal(labels, data.train_set.labels[data.train_set.indices].bincount())


def test_a_run_gets_its_batches_from_the_device_augmented_there(tmp_path):
    seen = []

    class Watching(MLPClassifier):
        def training_step(self, batch, batch_idx):
            seen.append(("train", len(batch[0])))
            return super().training_step(batch, batch_idx)

    class Augment(torch.nn.Module):
        def forward(self, x):
            seen.append(("augmented", str(x.device)))
            return x

    data = DigitsDataModule(image_size=16, batch_size=300, train_transform=Augment())
    trainer = quiet_trainer(max_epochs=1, callbacks=[OnDevice()], default_root_dir=tmp_path)
    module = Watching(input_shape=(1, 16, 16), hidden_dims=[8])
    trainer.fit(module, data)
    n = len(data.train_set)
    assert seen == [("augmented", "cpu"), ("train", 300)] * (n // 300) + [("augmented", "cpu"), ("train", n % 300)]
    assert "val/accuracy" in trainer.callback_metrics
    trainer.test(module, data)
    assert isinstance(trainer.test_dataloaders, DeviceBatches)


def test_a_run_on_text_keeps_its_loaders(tmp_path):
    data = CorpusDataModule(batch_size=4, context=8, windows_per_epoch=8)
    module = GPT(vocabulary_size=200, context=8, num_layers=1, num_heads=1, width=8)
    trainer = quiet_trainer(max_epochs=1, callbacks=[OnDevice()], default_root_dir=tmp_path)
    trainer.fit(module, data)
    assert trainer.global_step == 2


def test_a_pretraining_is_on_the_gpu_too(tmp_path, monkeypatch):
    commands = []

    def note(args, context, log):
        commands.append(args)
        raise UserError("enough")

    monkeypatch.setattr(fine_tuning, "run_command", note)
    with pytest.raises(UserError, match="enough"):
        fine_tuning.measure(ROWS["bert_classifier_imdb"], 0, Context(work=tmp_path, device="cuda"))
    assert commands[0][commands[0].index("--trainer.accelerator") + 1] == "gpu"


def test_augmentation_draws_on_the_device_of_the_images():
    moved = RandomShiftAndFlip(0.1)(torch.zeros(2, 3, 32, 32, device="meta"))
    assert (moved.device.type, moved.shape) == ("meta", (2, 3, 32, 32))


@pytest.mark.slow
def test_rows_are_tried_on_the_processor(tmp_path, monkeypatch):
    names = ["vae_binarized_mnist"]  # the others take minutes on it
    root = Path(os.environ.get("DLMODULES_DATA", ""))
    if not (root / "MNIST" / "raw").is_dir():
        pytest.skip("needs MNIST in $DLMODULES_DATA")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in names:  # what takes seconds is run in this process, not in two that import everything anew
        monkeypatch.setitem(ROWS, name, replace(ROWS[name], cost="seconds"))
    assert run.main([*names, "--gpu", "--minutes", "30", "--quick", "--work", str(tmp_path)]) == 0
    records = list(read_records(tmp_path / "quick" / "records"))
    assert {record.name for record in records} == set(names)
