import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from dlmodules.errors import UserError
from dlmodules.protocols import PAD, Tokenizer
from dlmodules.sequences.vocabulary import CharacterVocabulary, Vocabulary, words_of


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
    assert vocabulary.encode("B c A zebra") == [3, 1, 2, 1]
    assert vocabulary.encode("!") == []
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


def test_characters_are_kept_as_they_are(tmp_path: Path) -> None:
    text = "Ab a\n  b!"
    tokenizer = CharacterVocabulary.of([text], 100)
    assert tokenizer.words == [" ", "b", "\n", "!", "A", "a"]
    assert tokenizer.decode([PAD, *tokenizer.encode(text), PAD]) == text
    assert tokenizer.encode("bé") == [3, 1]
    tokenizer.save(tmp_path / "characters.json")
    assert CharacterVocabulary.load(tmp_path / "characters.json") == tokenizer
    assert Vocabulary(tokenizer.words) != tokenizer


class Parts:
    """Has the interface of Hugging Face's ``tokenizers.Tokenizer``, and two letters in a token."""

    class Encoding:
        def __init__(self, ids: list[int]) -> None:
            self.ids = ids

    known = ("[PAD]", "ab", "cd")

    def encode(self, text: str) -> Encoding:
        return self.Encoding([self.known.index(text[start : start + 2]) for start in range(0, len(text), 2)])

    def decode(self, ids: list[int], skip_special_tokens: bool = True) -> str:
        return "".join(self.known[token] for token in ids if token > 0 or not skip_special_tokens)

    def get_vocab_size(self) -> int:
        return len(self.known)

    def token_to_id(self, token: str) -> int | None:
        return self.known.index(token) if token in self.known else None


class Wrapped:
    """Such a tokenizer as ours ask for it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pad_id = parts.token_to_id("[PAD]")

    def __len__(self) -> int:
        return self.parts.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self.parts.encode(text).ids

    def decode(self, ids: Iterable[int]) -> str:
        return self.parts.decode(list(ids))


@pytest.mark.parametrize(
    ("tokenizer", "text"), [(Vocabulary(["ab", "cd"]), "ab cd ab"), (CharacterVocabulary("abcd"), "abcdab"),
                            (Wrapped(Parts()), "abcdab")]
)  # fmt: skip
def test_words_characters_and_parts_of_words_are_tokenizers(tokenizer: Tokenizer, text: str) -> None:
    assert isinstance(tokenizer, Tokenizer)
    assert not isinstance(Parts(), Tokenizer)
    ids = tokenizer.encode(text)
    assert all(type(token) is int and 0 <= token < len(tokenizer) for token in ids)
    assert tokenizer.pad_id not in ids
    assert tokenizer.decode([*ids, tokenizer.pad_id]) == text
