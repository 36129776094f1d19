"""What is written of word vectors: analogies, nearest words, and a map."""

import csv

import pytest
import torch
from pytorch_lightning.loggers import CSVLogger

from callbacks import EmbeddingMap, NearestWords, WordTests
from callbacks.text.embedding_map import map_figure
from callbacks.text.word_tests import report_text
from datamodules import DigitsDataModule, WordContextsDataModule
from dlmodules import MLPClassifier, Word2Vec
from dlmodules.errors import UserError
from dlmodules.sequences.analogies import SectionScore
from tests.callbacks.callback_toys import trainer
from tests.callbacks.classifier_toys import TableLogger

DATA = {"row_length": 100, "vocabulary_size": 200, "val_size": 5, "test_size": 5}


@pytest.fixture
def fitted(tmp_path):
    (tmp_path / "ratings.tsv").write_text("king\tqueen\t8\nking\tparis\t1\nking\tman\t5\n")
    data = WordContextsDataModule(**DATA, ratings=str(tmp_path / "ratings.tsv"))
    logger = TableLogger()
    pictures = [WordTests(), NearestWords(["king", "ghost"], n=3), EmbeddingMap(max_words=20)]
    runs = trainer(tmp_path, *pictures, logger=[CSVLogger(tmp_path, name="", version=""), logger], max_epochs=2)
    with pytest.warns(UserWarning, match="NearestWords: the word 'ghost' is not among the 104"):
        runs.fit(Word2Vec(vocabulary_size=200, embedding_dim=8), data)
    return runs, logger, data, tmp_path


def test_scores_are_logged_and_written(fitted):
    runs, _, data, folder = fitted
    with open(folder / "metrics.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["val/analogies"]]
    assert len(rows) == 2
    assert 0 <= float(rows[-1]["val/analogies"]) <= 1
    assert -1 <= float(rows[-1]["val/word_similarity"]) <= 1
    lines = (folder / "media" / "analogies.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["people", "capitals", "all"]
    tested = runs.test(runs.lightning_module, data, verbose=False)[0]
    assert {"test/loss", "test/analogies", "test/word_similarity"} <= tested.keys()
    assert (folder / "media" / "test_analogies.txt").is_file()


def test_report_by_hand():
    text = report_text({"a": SectionScore(1, 4), "b": SectionScore(0, 0)})
    assert [line.split() for line in text.splitlines()] == [
        ["a", "1", "of", "4", "25.0%"],
        ["b", "0", "of", "0", "0.0%"],
        ["all", "sections", "1", "of", "4", "25.0%"],
    ]


def test_nearest_words_are_written_and_logged(fitted):
    runs, logger, _, folder = fitted
    lines = (folder / "media" / "nearest_words.txt").read_text().splitlines()
    assert lines[0] == f"nearest words after {runs.global_step} steps"
    assert lines[2].startswith("king  ")
    assert lines[2].count(",") == 2
    assert len(lines) == 3
    key, columns, rows, _ = logger.tables[-1]
    assert (key, columns) == ("nearest_words", ["word", "nearest", "cosine"])
    assert len(rows) == 3
    assert rows[0][0] == "king"
    assert rows[0][2] >= rows[1][2] >= rows[2][2]


def test_the_map_is_drawn(fitted):
    assert len(list((fitted[3] / "media").glob("embedding_map-*.png"))) == 2


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_every_word_stands_in_the_map(projection):
    words = [f"word{i}" for i in range(8)]
    vectors = torch.randn(8, 5, generator=torch.Generator().manual_seed(0)).numpy()
    (axes,) = map_figure(words, vectors, projection).axes
    assert [text.get_text() for text in axes.texts] == words
    assert len(axes.collections[0].get_offsets()) == 8


def test_mistakes_end_in_one_line(tmp_path):
    with pytest.raises(UserError, match="projection is 'lda'; it must be pca, tsne or umap"):
        EmbeddingMap(projection="lda")
    with pytest.raises(UserError, match="max_words is 2; it must be 3 or more"):
        EmbeddingMap(max_words=2)
    with pytest.raises(UserError, match="n is 0"):
        NearestWords(n=0)
    digits = DigitsDataModule(image_size=8)
    for callback in (WordTests(), NearestWords(), EmbeddingMap()):
        with pytest.raises(UserError, match="needs a module with a method `word_vectors`; MLPClassifier has none"):
            trainer(tmp_path, callback).fit(MLPClassifier((1, 8, 8)), digits)
