"""What the tab of a language model shows, without the page."""

import pytest
import torch

from dlmodules import NGram
from dlmodules.errors import UserError
from dlmodules.sequences.vocabulary import CharacterVocabulary, Vocabulary
from dlmodules_cli.explore.subject import subject_of
from dlmodules_cli.explore.words_tab import WordsTab, proposals


def model(tokenizer: Vocabulary, text: str) -> NGram:
    found = NGram(order=2, vocabulary_size=len(tokenizer) + 1).eval()
    found.tokenizer = tokenizer
    found.count([torch.tensor(tokenizer.encode(text))])
    return found


def test_the_likeliest_continuations_can_be_put_behind_the_text() -> None:
    subject = subject_of(model(Vocabulary(["the", "fox", "saw"]), "the fox saw the fox the saw"))
    assert WordsTab.suits(subject)
    found = proposals(subject, "The")
    assert [token for _, token in found][:1] == [" fox"]
    assert found[0][0].startswith("fox   ")
    shares = [float(shown.split()[-2]) for shown, _ in found]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.3)
    assert len(found) == 3  # neither padding nor the unknown word
    with pytest.raises(UserError, match="the word 'cat' is none that the model was trained on"):
        proposals(subject, "the cat")
    with pytest.raises(UserError, match="the text has no tokens"):
        proposals(subject, "")


def test_blanks_and_line_breaks_can_be_seen() -> None:
    subject = subject_of(model(CharacterVocabulary(["a", " ", "\n"]), "a a\na a\na"))
    assert {shown.split()[0]: token for shown, token in proposals(subject, "a")} == {"␣": " ", "⏎": "\n", "a": "a"}
