from pathlib import Path
from typing import Any

import pytest
import torch

from callbacks import TextSamples
from datamodules import CorpusDataModule
from dlmodules import RecurrentLanguageModel
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyVAE, loader, random_states, trainer


def fit(folder: Path, *callbacks: Any, **options: Any) -> RecurrentLanguageModel:
    torch.manual_seed(0)
    model = RecurrentLanguageModel(vocabulary_size=100, hidden_dim=16, num_layers=1, dropout=0.3)
    data = CorpusDataModule(batch_size=4, context=8, windows_per_epoch=24, val_size=0, cache_dir=str(folder))
    trainer(folder, *callbacks, **options).fit(model, datamodule=data)
    return model


def test_the_same_prompts_are_gone_on_with_each_time(tmp_path: Path) -> None:
    fit(tmp_path, TextSamples(["The ", "\n"], length=12, every_n_steps=3))
    files = sorted((tmp_path / "media").glob("text_samples-*.txt"))
    assert [file.name for file in files] == ["text_samples-0000003.txt", "text_samples-0000006.txt"]
    first = files[0].read_text()
    assert first.startswith("prompt: The \ntext: ")
    assert "\n\nprompt: \n\ntext: " in first


def test_a_training_that_is_watched_is_the_one_that_is_not(tmp_path: Path) -> None:
    alone = fit(tmp_path / "alone")
    states = random_states()
    watched = fit(tmp_path / "watched", TextSamples(length=5, every_n_steps=1))
    assert random_states() == states
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor, watched.state_dict()[name])


def test_a_logger_that_takes_texts_gets_a_table(tmp_path: Path) -> None:
    from pytorch_lightning.loggers import CSVLogger

    given = []

    class TableLogger(CSVLogger):
        def log_table(self, key: str, columns: Any = None, data: Any = None, step: Any = None) -> None:
            given.append((key, columns, [row[0] for row in data], step))

    fit(tmp_path, TextSamples(["The "], length=3, every_n_epochs=1), logger=TableLogger(tmp_path, name="", version=""))
    assert [(key, columns, prompts) for key, columns, prompts, _ in given] == [
        ("text_samples", ["prompt", "text"], ["The "])
    ]


def test_words_begin_with_the_most_frequent_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = RecurrentLanguageModel(vocabulary_size=300, hidden_dim=16, num_layers=1)
    data = CorpusDataModule(
        tokenizer="words",
        vocabulary_size=300,
        batch_size=4,
        context=8,
        windows_per_epoch=8,
        val_size=0,
        cache_dir=str(tmp_path),
    )
    trainer(tmp_path, TextSamples(length=3)).fit(model, datamodule=data)
    assert model.first_prompt() == "the"
    assert (tmp_path / "media" / "text_samples-0000002.txt").read_text().startswith("prompt: the\ntext:  ")


def test_a_prompt_that_cannot_be_read_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = RecurrentLanguageModel(vocabulary_size=100, hidden_dim=16, num_layers=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    data = CorpusDataModule(batch_size=4, context=8, windows_per_epoch=24, val_size=0, cache_dir=str(tmp_path))
    with pytest.raises(UserError, match="the character '☃' is none that the model was trained on"):
        trainer(tmp_path, TextSamples(["☃"])).fit(model, datamodule=data)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs at least one prompt"):
        TextSamples([])
    with pytest.raises(UserError, match="temperature is -1"):
        TextSamples(temperature=-1)
    with pytest.raises(UserError, match="generate_text"):
        trainer(tmp_path, TextSamples()).fit(ToyVAE(), loader())
