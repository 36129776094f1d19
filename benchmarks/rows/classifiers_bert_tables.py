"""The rows of film reviews that are classified by BERT, after a training without labels and without one."""

from typing import Any

from benchmarks.row import Figure, Gpu, Row

_SPLIT = "5,000 of the 25,000 labelled IMDB reviews, the same for every seed, of which nothing is trained on"
_CLASSIFIED = f"{_SPLIT}; the last 255 words of a review, of 16,000; final weights"
_BESIDE = "0.890 (a bag of words), 0.875 (an LSTM)"


def _fine_tuned(name: str, budget: str, bar: float | None, gpu: Gpu, **options: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.fine_tuning",
        system="BERTClassifier",
        config="configs/classifiers/bert_imdb.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/accuracy@last", "accuracy"),
                digits=4,
                bar=bar,
                of_mean=True,
                anchor=_BESIDE,
                baseline="baseline/accuracy",
                guess="the most frequent class",
            ),
        ),
        protocol=f"{_CLASSIFIED}; words of the vocabulary of the training without labels",
        options={"baseline": "majority", **options},
        headline=bar is not None,
        cost="hours",
        elsewhere="one core, an hour",
        gpu=gpu,
    )


ROWS = (
    _fine_tuned(
        *("bert_classifier_imdb", "5 epochs of 18,000 reviews, after 12 epochs without labels", 0.895, Gpu(7, 3.0)),
        pretraining="configs/text/bert_imdb.yaml",
    ),
    _fine_tuned("bert_classifier_imdb_anew", "5 epochs of 18,000 reviews", None, Gpu(8, 1.0)),
)
