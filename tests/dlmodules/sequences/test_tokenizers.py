import importlib.util
import json
from pathlib import Path

import pytest

from dlmodules.errors import UserError
from dlmodules.protocols import Tokenizer
from dlmodules.sequences.byte_pairs import BytePairTokenizer
from dlmodules.sequences.tokenizers import KINDS, as_plain, from_plain, kind_of, make_tokenizer

NEEDS_TOKENIZERS = pytest.mark.skipif(
    importlib.util.find_spec("tokenizers") is None, reason="tokenizers is not installed: pip install -e '.[text]'"
)
OWN = [kind for kind in KINDS if kind != "byte_pairs"]
TEXT = "The fox said: « Grapes, the sour grapes! » 3 times.\nThe fox’s tail – it's long."


@pytest.mark.parametrize("kind", [*OWN, pytest.param("byte_pairs", marks=NEEDS_TOKENIZERS)])
def test_each_kind_is_a_tokenizer_and_survives_as_plain_values(kind: str) -> None:
    tokenizer = make_tokenizer(kind, [TEXT], 300)
    assert isinstance(tokenizer, Tokenizer)
    assert kind_of(tokenizer) == kind
    again = from_plain(json.loads(json.dumps(as_plain(tokenizer))))
    assert again == tokenizer
    assert again.encode(TEXT) == tokenizer.encode(TEXT)
    assert 0 < max(tokenizer.encode(TEXT)) < len(tokenizer) <= 300
    assert 0 not in tokenizer.encode(TEXT)


def test_what_is_a_token() -> None:
    def pieces(kind: str) -> list[str]:
        tokenizer = make_tokenizer(kind, [TEXT], 300)
        return [tokenizer.decode([token]) for token in tokenizer.encode("The fox’s tail – it's")]

    assert pieces("characters") == list("The fox’s tail – it's")
    assert pieces("words") == ["the", "fox's", "tail", "it's"]
    assert pieces("words_and_marks") == ["the", "fox’s", "tail", "–", "it's"]
    assert pieces("spaced") == ["The", "fox’s", "tail", "–", "it's"]


@NEEDS_TOKENIZERS
@pytest.mark.parametrize("text", [TEXT, "", "naïve 日本語 \U0001f600\x00\t  two  blanks ", "never ☃ seen"])
def test_byte_pairs_give_any_text_back_as_it_was(text: str) -> None:
    tokenizer = make_tokenizer("byte_pairs", [TEXT * 20], 320)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(TEXT)) < len(TEXT.encode())


@NEEDS_TOKENIZERS
def test_errors_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="tokenizer is 'runes'; it must be one of characters, words"):
        make_tokenizer("runes", [TEXT], 300)
    with pytest.raises(UserError, match="size 256 has no room for the 256 bytes"):
        make_tokenizer("byte_pairs", [TEXT], 256)
    with pytest.raises(UserError, match="describes no tokenizer"):
        from_plain({"kind": "characters"})
    with pytest.raises(UserError, match="cannot read the tokenizer"):
        BytePairTokenizer.of_file(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text('{"words": []}')
    with pytest.raises(UserError, match="no definition of a tokenizer"):
        BytePairTokenizer.of_file(tmp_path / "tokenizer.json")
