"""Made-up sentences with known analogies: a text that needs no download."""

import random

from dlmodules.protocols import Question

PEOPLE = {
    ("man", "woman"): ("adult", "grown", "walks"),
    ("king", "queen"): ("throne", "crown", "rules"),
    ("boy", "girl"): ("young", "school", "plays"),
    ("uncle", "aunt"): ("cousin", "visits", "family"),
    ("actor", "actress"): ("stage", "film", "performs"),
    ("waiter", "waitress"): ("restaurant", "tray", "serves"),
    ("monk", "nun"): ("church", "prayer", "sings"),
    ("host", "hostess"): ("party", "guests", "welcomes"),
}
PLACES = {
    ("france", "paris"): ("french", "wine", "seine"),
    ("spain", "madrid"): ("spanish", "flamenco", "prado"),
    ("italy", "rome"): ("italian", "pasta", "tiber"),
    ("egypt", "cairo"): ("egyptian", "pyramid", "nile"),
    ("japan", "tokyo"): ("japanese", "sushi", "shogun"),
    ("russia", "moscow"): ("russian", "vodka", "kremlin"),
    ("greece", "athens"): ("greek", "olives", "acropolis"),
    ("norway", "oslo"): ("norwegian", "fjord", "vikings"),
}
KINDS = {
    "people": (PEOPLE, (("he", "his", "him", "beard"), ("she", "her", "hers", "dress"))),
    "capitals": (PLACES, (("country", "border", "nation", "army"), ("city", "streets", "mayor", "suburbs"))),
}
"""By the name of a section: what two words of a pair share, and what each first and each second word goes with."""
COMMON = ("the", "a", "of", "and", "was", "in", "there", "with")


def toy_sentences(number: int, seed: int = 0) -> list[str]:
    """Return sentences about 32 people and places, always the same for a ``seed``.

    Each is of one of them: its name, two words that it shares with its partner, two that it shares with all of its side
    (such as ``she`` of the women), and three common words, in any order.
    """
    draw = random.Random(seed)
    sentences = []
    for _ in range(number):
        pairs, sides = KINDS[draw.choice(sorted(KINDS))]
        pair = draw.choice(sorted(pairs))
        side = draw.randrange(2)
        words = [pair[side], *draw.sample(pairs[pair], 2), *draw.sample(sides[side], 2), *draw.choices(COMMON, k=3)]
        draw.shuffle(words)
        sentences.append(" ".join(words))
    return sentences


def toy_questions() -> dict[str, list[Question]]:
    """Return all analogies between two pairs, in both directions: 112 in each section."""
    return {
        name: [(a[side], a[1 - side], b[side], b[1 - side]) for a in pairs for b in pairs if a != b for side in (0, 1)]
        for name, (pairs, _) in KINDS.items()
    }
