import json
from pathlib import Path

import pytest

from datamodules.text.vocabulary import Vocabulary, words_of
from dlmodules.errors import UserError


def test_words() -> None:
    assert words_of("It's a FILM;<br /><br />don’t--see it... 10/10!") == [
        *["it's", "a", "film", "don't", "see", "it", "10", "10"]
    ]
    assert words_of("Café 'quoted' _under_") == ["café", "quoted", "under"]
    assert words_of(" ... <br/> !") == []


def test_the_most_frequent_words_come_first_and_ties_go_by_the_word() -> None:
    texts = ["b a c a", "c b d"]  # a, b, c twice; d once
    assert Vocabulary.of(texts, 10).words == ["a", "b", "c", "d"]
    vocabulary = Vocabulary.of(texts, 4)
    assert vocabulary.words == ["a", "b"]
    assert len(vocabulary) == 4
    assert vocabulary.encode("B c A zebra").tolist() == [3, 1, 2, 1]
    assert vocabulary.encode("!").tolist() == []
    assert vocabulary.decode([0, 3, 1, 2]) == "b <unknown> a"


def test_it_is_saved_as_json_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "vocabulary.json"
    vocabulary = Vocabulary(["été", "a"])
    vocabulary.save(path)
    assert json.loads(path.read_text("utf-8")) == {"words": ["été", "a"]}
    assert Vocabulary.load(path) == vocabulary
    assert Vocabulary.load(path) != Vocabulary(["a"])
    assert list(path.parent.iterdir()) == [path]


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="size 2 has no room"):
        Vocabulary.of(["a"], 2)
    with pytest.raises(UserError, match="'a' is in the vocabulary more than once"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(UserError, match="one of its entries is none"):
        Vocabulary(["a", 3])  # type: ignore[list-item]
    with pytest.raises(UserError, match="cannot read the vocabulary"):
        Vocabulary.load(tmp_path / "none.json")
    for content in ("[]", "{", '{"words": "abc"}', "{}"):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(UserError, match="is no vocabulary"):
            Vocabulary.load(tmp_path / "bad.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the vocabulary"):
        Vocabulary(["a"]).save(tmp_path / "file" / "v.json")
