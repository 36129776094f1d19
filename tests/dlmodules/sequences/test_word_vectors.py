"""Readers of word vectors: the formats by hand, gensim's results, and files that are none."""

import gzip
import struct

import numpy as np
import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import EmbedsWords
from dlmodules.sequences.fasttext import hash_of, parts_of, read_fasttext
from dlmodules.sequences.word_vectors import read_text_vectors

GLOVE = "the 0.5 -1 2e-1\n. . . 1 2 3\nkönig 4 5 6\nthe 9 9 9\n"
NUMBERS = torch.tensor([[0.5, -1.0, 0.2], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        GLOVE,
        "4 3\n" + GLOVE,
        "\ufeff" + GLOVE.replace("\n", "\r\n"),
        "4 3\n" + GLOVE.replace("\n", " \n"),
    ],
    ids=["glove", "word2vec", "windows", "fasttext"],
)
def test_formats_of_text(tmp_path, text, compressed):
    content = text.encode()
    (tmp_path / "vectors").write_bytes(gzip.compress(content) if compressed else content)
    found = read_text_vectors(tmp_path / "vectors")
    assert isinstance(found, EmbedsWords)
    words, vectors = found.word_vectors()
    assert words == ["the", ". . .", "könig"]
    assert torch.equal(vectors, NUMBERS)
    assert torch.equal(found.vector("könig"), NUMBERS[2])
    with pytest.raises(UserError, match="the word 'King' is not among the 3"):
        found.vector("King")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"the\n", "line 1: no numbers"),
        (b"the a b\n", "line 1: what follows the word is not 2 numbers"),
        (b"the 1 2\nof 1 2 3\n", "line 2: 3 numbers, and the lines before have 2"),
        (b"the 1 2\nof 1\n", "line 2: 1 numbers, and the lines before have 2"),
        (b"2 2\nthe 1 2\nof 1 nan\n", "line 3: a number is not finite"),
        (b"3 2\nthe 1 2\nof 1 2\n", "is cut off: its first line says 3 words, and it has 2"),
        (b"k\xf6nig 1 2\n", "line 1: not UTF-8"),
        (gzip.compress(b"the 1 2\n" * 99, mtime=0)[:-9], "is damaged"),
    ],
)
def test_text_that_is_no_vectors(tmp_path, content, message):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as raised:
        read_text_vectors(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("read", [read_text_vectors, read_fasttext])
def test_a_missing_file_and_a_folder(tmp_path, read):
    with pytest.raises(UserError, match=r"there is no file .*none\.bin"):
        read(tmp_path / "none.bin")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path)


def test_parts_and_hashes_by_hand():
    assert parts_of("cat", 3, 4) == ["<ca", "<cat", "cat", "cat>", "at>"]
    assert parts_of("a", 1, 2) == ["<a", "a", "a>"]
    assert parts_of("é", 3, 6) == ["<é>"]
    assert hash_of(b"a") == 0xE40C292C  # as published for FNV-1a
    assert hash_of(b"foobar") == 0xBF9CF968
    # A byte from 128 on has a sign: it changes the upper bits too.
    assert hash_of("é".encode()) == ((((2166136261 ^ 0xFFFFFFC3) * 16777619) % 2**32) ^ 0xFFFFFFA9) * 16777619 % 2**32


def fasttext_file(rows, words=("cat", "könig"), magic=793712314, version=12, pruned=-1, quantized=0):
    """Write a small file in fastText's binary format."""
    header = struct.pack("<14id", magic, version, rows.shape[1], 5, 5, 1, 5, 1, 2, 1, 7, 3, 4, 100, 1e-4)
    dictionary = struct.pack("<3i2q", len(words), len(words), 0, 99, pruned)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 9, 0) for word in words)
    matrix = struct.pack("<b2q", quantized, *rows.shape) + rows.astype("<f4").tobytes()
    return header + dictionary + entries + matrix


ROWS = np.arange(27, dtype=np.float32).reshape(9, 3) ** 2


@pytest.mark.parametrize("compressed", [False, True])
def test_fasttext_by_hand(tmp_path, compressed):
    content = fasttext_file(ROWS)
    path = tmp_path / "model.bin"
    path.write_bytes(gzip.compress(content) if compressed else content)
    found = read_fasttext(path)
    assert found.words == ["cat", "könig"]
    parts = [2 + hash_of(part) % 7 for part in (b"<ca", b"<cat", b"cat", b"cat>", b"at>")]
    assert np.allclose(found.vector("cat"), ROWS[[0, *parts]].mean(axis=0))
    unseen = [2 + hash_of(part) % 7 for part in (b"<ab", b"<ab>", b"ab>")]
    assert np.allclose(found.vector("ab"), ROWS[unseen].mean(axis=0))
    with pytest.raises(UserError, match="has no parts"):
        found.vector("")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no binary file of fastText"),
        (b"the 1 2 3\n", "is no binary file of fastText"),
        (fasttext_file(ROWS, version=11), "is of version 11"),
        (fasttext_file(ROWS, pruned=0), "pruned or quantized"),
        (fasttext_file(ROWS, quantized=1), "is quantized"),
        (fasttext_file(ROWS)[:-1], "is cut off or damaged"),
        (fasttext_file(ROWS)[:60], "is cut off or damaged"),
        (fasttext_file(ROWS[:1]), "is cut off or damaged"),
        (fasttext_file(ROWS).replace("ö".encode(), b"\xf6x"), "a word is not UTF-8"),
    ],
)
def test_a_file_that_is_not_fasttexts(tmp_path, content, message):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_fasttext(path)


def test_gensim_reads_the_same(tmp_path):
    reason = "gensim is not installed: pip install -e '.[words]'"
    fasttext = pytest.importorskip("gensim.models.fasttext", reason=reason)
    sentences = [line.split() for line in ("the cat sat on the mat", "königin und könig", "a dog ate the cat")] * 20
    model = fasttext.FastText(sentences, vector_size=8, min_count=1, epochs=2, bucket=300, workers=1, seed=1)
    fasttext.save_facebook_model(model, str(tmp_path / "model.bin"))
    expected = fasttext.load_facebook_vectors(str(tmp_path / "model.bin"))
    found = read_fasttext(tmp_path / "model.bin")
    assert found.words == expected.index_to_key
    for word in ("cat", "könig", "königreich", "kater", "日本", "x"):
        assert np.abs(found.vector(word).numpy() - expected[word]).max() < 1e-6
    model.wv.save_word2vec_format(str(tmp_path / "model.vec"))
    text = read_text_vectors(tmp_path / "model.vec")
    assert text.words == expected.index_to_key
    assert np.abs(text.vectors.numpy() - expected.vectors).max() < 1e-6
