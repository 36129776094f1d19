"""Analogies and ratings of words: by hand, and as gensim scores them."""

import gzip
import math
import os
from pathlib import Path

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.sequences.analogies import (
    SectionScore,
    correlate_ratings,
    nearest_words,
    questions_in,
    rated_pairs_in,
    score_analogies,
    total_accuracy,
)
from dlmodules.sequences.word_vectors import read_text_vectors

WORDS = ["man", "king", "woman", "Queen", "QUEEN", "near"]
VECTORS = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0], [0.1, 1.0, 0.8]])
TEXT = ": royal\nman woman KING queen\nman king woman queen\n\n: unknown\nman woman king emperor\n"


def test_questions_by_hand():
    sections = questions_in(TEXT, "q.txt")
    assert list(sections) == ["royal", "unknown"]
    scores = score_analogies(WORDS, VECTORS, sections)
    # b - a + c is (0, 1, 1), of length 1 for each: that of Queen, which stands before QUEEN.
    assert scores == {"royal": SectionScore(2, 2), "unknown": SectionScore(0, 0)}
    assert total_accuracy(scores) == 1.0
    assert math.isnan(total_accuracy({"unknown": SectionScore(0, 0)}))


def test_the_words_of_the_question_are_no_answers():
    vectors = VECTORS.clone()
    vectors[2] = vectors[0]  # of a woman like a man b - a + c is the king, who is asked about
    scores = score_analogies(WORDS, vectors, {"": [("man", "woman", "king", "queen")]})
    assert scores[""] == SectionScore(1, 1)


def test_only_the_most_frequent_words_are_asked_about_and_answer():
    questions = {"": [("man", "woman", "king", "queen"), ("man", "woman", "king", "near")]}
    assert score_analogies(WORDS, VECTORS, questions, restrict=5)[""] == SectionScore(1, 1)
    assert score_analogies(WORDS, VECTORS, questions, restrict=3)[""] == SectionScore(0, 0)


def test_ratings_by_hand():
    pairs = rated_pairs_in("# a comment\nman\tKing\t5\nman\twoman\t1\nking\tqueen\t3\nman\tghost\t9\n", "pairs.tsv")
    assert pairs[0] == ("man", "King", 5.0)
    found = correlate_ratings(WORDS, VECTORS, pairs)
    # Cosines 0.71, 0 and 0.5 have the order of the ratings.
    assert (found.spearman, found.pairs) == (pytest.approx(1.0), 3)
    assert math.isnan(correlate_ratings(WORDS, VECTORS, pairs[:1]).spearman)


def test_nearest_words_by_hand():
    found = nearest_words(WORDS, VECTORS, "queen", 2)
    assert [word for word, _ in found] == ["near", "woman"]
    assert found[1][1] == pytest.approx(0.5**0.5)
    assert len(nearest_words(WORDS, VECTORS, "queen", 99)) == 4
    with pytest.raises(UserError, match="the word 'ghost' is not among the 6"):
        nearest_words(WORDS, VECTORS, "ghost")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (questions_in, "", "file has no analogies"),
        (questions_in, ": empty\n", "file has no analogies"),
        (questions_in, "a b c d\n", "file, line 1: a line ': name' must come first"),
        (questions_in, ": s\na b c\n", "file, line 2: an analogy is four words, and this is 'a b c'"),
        (rated_pairs_in, "# nothing\n", "file has no pairs"),
        (rated_pairs_in, "a b 3\n", "file, line 1: 'a b 3' is not two words and a number"),
        (rated_pairs_in, "a\tb\tc\n", "is not two words and a number"),
    ],
)
def test_files_of_another_form(read, text, message):
    with pytest.raises(UserError, match=message.replace("': name'", '": name"')):
        read(text, "file")


def folder() -> Path:
    return Path(os.environ.get("DLMODULES_DATA") or "data") / "vectors"


@pytest.mark.skipif(not (folder() / "questions-words.txt").is_file(), reason="the vectors are not in $DLMODULES_DATA")
def test_gensims_scores_of_glove(tmp_path):
    models = pytest.importorskip("gensim.models", reason="gensim is not installed: pip install -e '.[words]'")
    glove = folder() / "glove.6B.50d.first40k.txt.gz"
    found = read_text_vectors(glove)
    plain = tmp_path / "glove.txt"
    plain.write_bytes(gzip.decompress(glove.read_bytes()))
    expected = models.KeyedVectors.load_word2vec_format(str(plain), no_header=True)
    assert found.words == expected.index_to_key
    assert torch.equal(found.vectors, torch.from_numpy(expected.vectors))
    questions = folder() / "questions-words.txt"
    scores = score_analogies(found.words, found.vectors, questions_in(questions.read_text(), ""), restrict=30_000)
    accuracy, sections = expected.evaluate_word_analogies(str(questions), restrict_vocab=30_000)
    for section in sections[:-1]:
        right, wrong = len(section["correct"]), len(section["incorrect"])
        assert scores[section["section"]] == SectionScore(right, right + wrong)
    assert total_accuracy(scores) == accuracy
    for name in ("wordsim353.tsv", "simlex999.txt"):
        rated = rated_pairs_in((folder() / name).read_text(), "")
        spearman = expected.evaluate_word_pairs(str(folder() / name))[1].statistic
        assert correlate_ratings(found.words, found.vectors, rated).spearman == pytest.approx(spearman, abs=1e-9)
