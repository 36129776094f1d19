"""The rows of models that write a text for a text: dates, numbers in words, captions."""

from typing import Any

from benchmarks.row import Figure, Gpu, Row

_EXACT = "the part that is written as it is, to the character, by a beam of five; final weights"
_DATES = f"1,000 dates of days that are not trained on, in ten forms: {_EXACT}"
_NUMBERS = f"1,000 numbers of 18 digits, of 16 to 29 words in the mean 26, none of them trained on: {_EXACT}"
_LOOKS = (
    "; of the first 200: how many beams end less probable than greedy decoding, and the mean rank correlation of the"
    " targets' places and of the places that they look at most"
)
_BLEU = (
    "BLEU of the 1,000 captions `test_2016_flickr`, cased and detokenized (sacrebleu, 13a), beam of five; final"
    " weights; the baseline is the source as it is"
)
_BEAMS = Figure("beams_below_greedy", "beams below greedy", digits=0, bar=0, better="lower")


def _row(
    name: str, system: str, config: str, budget: str, protocol: str, figures: tuple[Figure, ...], **more: Any
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.text_pairs",
        system=system,
        config=f"configs/text/{config}.yaml",
        budget=budget,
        protocol=protocol + _LOOKS,
        figures=(*figures, _BEAMS),
        **{"seeds": (0, 1, 2), **more},
    )


def _exact(bar: float | None = None, **more: Any) -> Figure:
    return Figure("test/exact@last", "exact", digits=4, bar=bar, **more)


_ORDER = Figure("attention_order", "attention's order", bar=0.9)
_WITHOUT = {"options": {"args": ("--model.attention", "none", "--trainer.callbacks", "null")}}

ROWS = (
    _row("seq2seq_dates", "Seq2Seq", "seq2seq_dates", "6 epochs of 20,000 pairs", _DATES, (_exact(1.0),)),
    _row(
        *("seq2seq_dates_without_attention", "Seq2Seq", "seq2seq_dates", "6 epochs of 20,000 pairs", _DATES),
        *((_exact(),),),
        **_WITHOUT,
    ),
    _row(
        *("seq2seq_numbers", "Seq2Seq", "seq2seq_numbers", "8 epochs of 60,000 pairs", _NUMBERS),
        *((_exact(1.0), _ORDER),),
        headline=True,
    ),
    _row(
        *("seq2seq_numbers_without_attention", "Seq2Seq", "seq2seq_numbers", "8 epochs of 60,000 pairs", _NUMBERS),
        *((_exact(0.6, better="lower"),),),
        **_WITHOUT,
    ),
    _row(
        *(
            "seq2seq_multi30k",
            "Seq2Seq",
            "seq2seq_multi30k",
            "11 epochs, half an hour of a core",
            _BLEU,
        ),
        (
            Figure(
                *("test/bleu@last", "BLEU"),
                digits=1,
                bar=28,
                anchor="29 to 31 (tutorials, on words in lower case)",
                baseline="baseline/bleu",
                guess="the source as it is",
            ),
        ),
        gpu=Gpu(10, 4.0),
    ),
    _row(
        *(
            "transformer_multi30k",
            "Transformer",
            "transformer_multi30k",
            "12 epochs, half an hour of a core",
            _BLEU,
        ),
        (
            Figure(
                *("test/bleu@last", "BLEU"),
                digits=1,
                bar=30,
                anchor="41.0 (Transformer-tiny, trained to its end)",
                baseline="baseline/bleu",
                guess="the source as it is",
            ),
        ),
        headline=True,
        gpu=Gpu(9, 3.0),
    ),
)
