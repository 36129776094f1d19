"""``predict`` writes what a module predicts, in the order of the data."""

import csv

import numpy as np
import pytest
import torch

from datamodules import DigitsDataModule
from dlmodules.checkpoints.loading import load_module
from dlmodules_cli.main import main

QUIET = [
    *["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.logger", "false"],
    *["--data", "DigitsDataModule", "--data.batch_size", "64", "--trainer.callbacks", "[]"],
]


def trained(model, folder):
    quick = ["--trainer.max_steps", "2", "--trainer.limit_val_batches", "1", "--trainer.enable_model_summary", "false"]
    main(["fit", "--model", *model, *QUIET, *quick, "--trainer.default_root_dir", str(folder)])
    return next(folder.glob("*/version_0"))


def predict(model, run, *more):
    path = str(run / "checkpoints" / "last.ckpt")
    main(["predict", "--model", *model, *QUIET, "--ckpt_path", path, *more])


@pytest.fixture
def digits():
    data = DigitsDataModule(batch_size=64)
    data.prepare_data()
    data.setup("test")
    batches = list(data.test_dataloader())
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def test_a_classifier_writes_classes_and_probabilities(tmp_path, capsys, digits):
    run = trained(["MLPClassifier"], tmp_path)
    predict(["MLPClassifier"], run)
    assert f"predictions of {len(digits[0])} inputs: {run / 'predictions.csv'}\n" in capsys.readouterr().out
    with open(run / "predictions.csv") as file:
        rows = list(csv.DictReader(file))
    expected = load_module(run / "checkpoints" / "last.ckpt").predict_step([*digits], 0).detach()
    found = torch.tensor([[float(row[f"p_{name}"]) for name in range(10)] for row in rows])
    torch.testing.assert_close(found, expected)
    assert [int(row["label"]) for row in rows] == digits[1].tolist()
    assert [int(row["predicted"]) for row in rows] == expected.argmax(1).tolist()
    assert [int(row["index"]) for row in rows] == list(range(len(rows)))


def test_codes_are_a_table_and_images_are_arrays(tmp_path, digits):
    run = trained(["VAE", "--model.latent_dim", "3"], tmp_path / "vae")
    predict(["VAE"], run, "--output", str(tmp_path / "codes.csv"))
    table = np.loadtxt(tmp_path / "codes.csv", delimiter=",", skiprows=1)
    assert (tmp_path / "codes.csv").read_text().startswith("index,label,prediction_0,prediction_1,prediction_2\n")
    codes = load_module(run / "checkpoints" / "last.ckpt").predict_step([*digits], 0).detach().numpy()
    np.testing.assert_allclose(table[:, 2:], codes, rtol=1e-4, atol=1e-5)
    gan = ["GAN", "--model.image_shape", "[1,28,28]"]
    run = trained(gan, tmp_path / "gan")
    predict(gan, run, "--output", str(tmp_path / "new" / "folder"))
    arrays = np.load(tmp_path / "new" / "folder" / "predictions.npz")
    assert arrays["prediction"].shape == (len(digits[0]), 1, 28, 28)
    assert arrays["label"].tolist() == digits[1].tolist()


def test_a_wrong_ending_is_named(tmp_path, capsys):
    run = trained(["MLPClassifier"], tmp_path)
    with pytest.raises(SystemExit):
        predict(["MLPClassifier"], run, "--output", str(tmp_path / "a.npz"))
    assert "these predictions need a file that ends in .csv" in capsys.readouterr().err
