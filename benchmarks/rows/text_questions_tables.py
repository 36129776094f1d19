"""The rows of what finds answers in a text and asks about them."""

from typing import Any

from benchmarks.row import Figure, Gpu, Row

_TAGGED = "; spans found where their first and last words are; questions written greedily for the true answers"


def _row(name: str, config: str, budget: str, protocol: str, figures: tuple[Figure, ...], **more: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system="QuestionGenerator",
        config=f"configs/text/{config}.yaml",
        budget=budget,
        protocol=f"{protocol}{_TAGGED}; final weights",
        seeds=(0, 1, 2),
        figures=figures,
        **more,
    )


def _share(key: str, name: str, baseline: str, guess: str, bar: float | None = None) -> Figure:
    return Figure(f"test/{key}@last", name, digits=4, bar=bar, baseline=f"baseline/{baseline}", guess=guess)


_BY_WORD = "each word by what it mostly is"
_ONE = "the most frequent question"

ROWS = (
    _row(
        *("question_generator_facts", "question_generator_facts", "8,000 steps of 64 questions"),
        "500 made-up documents, none of them trained on",
        (
            _share("span_f1", "F1 of answers", "span_f1", _BY_WORD, 0.99),
            _share("question_exact", "questions as they are", "question_exact", _ONE, 0.9),
        ),
        options={"baseline": "tags_by_word"},
        headline=True,
        gpu=Gpu(11, 4.0),
    ),
    _row(
        *("question_generator_xquad", "question_generator_squad", "20 epochs of the questions of 39 articles"),
        "4 of XQuAD's 48 articles; embedding of 50 numbers that begins with GloVe's vectors",
        (
            _share("tag_f1", "F1 of words", "tag_f1_of_all", "all words"),
            _share("span_f1", "F1 of answers", "span_f1", _BY_WORD),
            _share("question_exact", "questions as they are", "question_exact", _ONE),
        ),
        options={"baseline": "tags_by_word", "data": "xquad", "args": ("--data.init_args.batch_size", "32")},
    ),
)
