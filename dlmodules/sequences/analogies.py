"""How vectors of words are judged: by analogies, and by how alike people find pairs of words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.protocols import Question, RatedPair

AT_ONCE = 256  # questions: of 40,000 words their cosines take 40 MB


class SectionScore(NamedTuple):
    """How many questions of a section were asked, and how many of the answers were right."""

    correct: int
    asked: int


class Correlation(NamedTuple):
    """Spearman's rank correlation of cosines with ratings, NaN of fewer than two pairs, and how many pairs counted."""

    spearman: float
    pairs: int


def questions_in(text: str, place: str) -> dict[str, list[Question]]:
    """Return the analogies of a text in the form of ``questions-words.txt``, by the name of their section.

    A line ": name" begins a section; any other line is an analogy of four words. Raises UserError, with ``place`` and
    line, for any other.
    """
    sections: dict[str, list[Question]] = {}
    current: list[Question] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if line.startswith(":"):
            current = sections.setdefault(line[1:].strip(), [])
        elif len(words) == 4 and current is not None:
            current.append((words[0], words[1], words[2], words[3]))
        elif words:
            wanted = "an analogy is four words" if current is not None else 'a line ": name" must come first'
            raise UserError(f"{place}, line {number}: {wanted}, and this is {line.strip()[:60]!r}")
    if not any(sections.values()):
        raise UserError(f"{place} has no analogies, which are lines of four words behind a line ': name'")
    return sections


def rated_pairs_in(text: str, place: str) -> list[RatedPair]:
    """Return the pairs of a text of lines "word, word, number", with tabs between; lines that begin with # are skipped.

    Raises UserError, with ``place`` and line, for any other line.
    """
    pairs: list[RatedPair] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        try:
            first, second, rating = cells[0], cells[1], float(cells[2])
        except (IndexError, ValueError) as error:
            raise UserError(
                f"{place}, line {number}: {line.strip()[:60]!r} is not two words and a number with tabs between"
            ) from error
        pairs.append((first, second, rating))
    if not pairs:
        raise UserError(f"{place} has no pairs of words")
    return pairs


class Known:
    """Words whose case does not matter, and their vectors at length 1.

    Args:
        words: the most frequent first: of words that differ in case alone the first stands for all.
        vectors: ``(V, D)``.
        restrict: only so many words are known; None for all.
    """

    def __init__(self, words: Sequence[str], vectors: Tensor, restrict: int | None = None) -> None:
        self.unit = F.normalize(vectors[:restrict].float(), dim=1)
        self.folded = [word.casefold() for word in words[:restrict]]
        self.rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, word in enumerate(self.folded):
            self.rows[word].append(row)

    def row(self, word: str) -> int | None:
        """Return the row of a word; None where it is not known."""
        return self.rows[folded][0] if (folded := word.casefold()) in self.rows else None

    def answers(self, questions: Sequence[Question]) -> list[int]:
        """Return the rows of the words that answer ``questions``, whose first three words are known.

        3CosAdd: the word whose vector has the greatest cosine with b - a + c, none of these three.
        """
        found: list[int] = []
        for start in range(0, len(questions), AT_ONCE):
            asked = [[self.rows[word.casefold()] for word in question[:3]] for question in questions[start:][:AT_ONCE]]
            a, b, c = (self.unit[[rows[place][0] for rows in asked]] for place in range(3))
            cosines = F.normalize(b - a + c, dim=1) @ self.unit.T
            for row, excluded in enumerate(asked):
                cosines[row, [word for rows in excluded for word in rows]] = -torch.inf
            found += cosines.argmax(dim=1).tolist()
        return found


def score_analogies(
    words: Sequence[str],
    vectors: Tensor,
    sections: Mapping[str, Sequence[Question]],
    restrict: int | None = 300_000,
) -> dict[str, SectionScore]:
    """Return the score of each section. Case does not matter, and questions with an unknown word are not asked.

    Args:
        words: the most frequent first.
        vectors: ``(V, D)``.
        sections: analogies by the name of their section.
        restrict: only so many of the most frequent words are known, and can be answers; None for all.
    """
    known = Known(words, vectors, restrict)
    scores = {}
    for name, questions in sections.items():
        asked = [question for question in questions if all(known.row(word) is not None for word in question)]
        right = sum(
            known.folded[answer] == question[3].casefold()
            for question, answer in zip(asked, known.answers(asked), strict=True)
        )
        scores[name] = SectionScore(right, len(asked))
    return scores


def total_accuracy(scores: Mapping[str, SectionScore]) -> float:
    """Return the fraction of right answers over all sections; NaN where nothing was asked."""
    asked = sum(score.asked for score in scores.values())
    return sum(score.correct for score in scores.values()) / asked if asked else float("nan")


def correlate_ratings(
    words: Sequence[str], vectors: Tensor, pairs: Sequence[RatedPair], restrict: int | None = 300_000
) -> Correlation:
    """Return how the cosines of ``pairs`` rank beside the ratings; pairs with an unknown word are left out.

    Args: as for :func:`score_analogies`.
    """
    from scipy.stats import spearmanr

    known = Known(words, vectors, restrict)
    rated = [(known.row(first), known.row(second), rating) for first, second, rating in pairs]
    found = [(first, second, rating) for first, second, rating in rated if first is not None and second is not None]
    if len(found) < 2:
        return Correlation(float("nan"), len(found))
    first, second, ratings = zip(*found, strict=True)
    # In double precision: equal cosines must tie, whatever the order in which they are computed.
    cosines = F.cosine_similarity(vectors[list(first)].double(), vectors[list(second)].double())
    return Correlation(float(spearmanr(ratings, cosines.numpy()).statistic), len(found))


def nearest_words(words: Sequence[str], vectors: Tensor, word: str, n: int = 10) -> list[tuple[str, float]]:
    """Return the ``n`` words whose vectors have the greatest cosines with that of ``word``, and these.

    Raises UserError where ``word`` is not known.
    """
    known = Known(words, vectors)
    row = known.row(word)
    if row is None:
        raise UserError(f"the word {word!r} is not among the {len(words)} that have a vector")
    cosines = known.unit @ known.unit[row]
    cosines[known.rows[word.casefold()]] = -torch.inf
    best = cosines.topk(min(n, len(words) - len(known.rows[word.casefold()])))
    return [(words[place], value) for place, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)]
