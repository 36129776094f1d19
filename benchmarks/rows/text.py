"""The rows of language models: each beside n-grams of six characters, which are counted in a second."""

from typing import Any

from benchmarks.row import Figure, Gpu, Row

_SHAKESPEARE = (
    "the last tenth of Tiny Shakespeare, 111,539 characters of which each but the first is predicted once; tokenizer"
    " and weights know the text before it, but for its first hundredth; final weights"
)
_FRESH = "in windows of 64 characters, each begun without what was before it"
_CARRIED = "in 12 lanes, the state carried from window to window"
_BESIDE_COUNTS: dict[str, Any] = {
    "baseline": "baseline/loss",
    "guess": "n-grams of six characters",
    "guess_row": "six_grams_tinyshakespeare",
}
_BESIDE_FREQUENCIES: dict[str, Any] = {"baseline": "baseline/loss", "guess": "each character by its frequency"}


def _row(name: str, system: str, config: str, budget: str, how: str, figure: Figure, **more: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/text/{config}.yaml",
        budget=budget,
        protocol=f"{_SHAKESPEARE}; {how}",
        **{"seeds": (0, 1, 2), "figures": (figure,), **more},
    )


def _nats(bar: float | None = None, **more: Any) -> Figure:
    return Figure("test/loss@last", "nats a character", bar=bar, better="lower", **more)


def _counted(name: str, args: tuple[str, ...], figure: Figure, **more: Any) -> Row:
    options = {"args": args, "baseline": "unigrams"}
    how = "the characters before it, of any number, as context"
    budget = "one pass, counted"
    more = {"seeds": (0,), "cost": "seconds", **more}
    return _row(name, "NGram", "ngram_tinyshakespeare", budget, how, figure, options=options, **more)


def _perplexity(**figure: Any) -> Figure:
    """Return the figure of a word of Aesop's fables, beside trigrams, with what else ``figure`` says of it."""
    beside = {"baseline": "baseline/perplexity", "guess": "trigrams, Kneser-Ney"}
    return Figure("test/perplexity@last", "perplexity", digits=1, better="lower", **beside, **figure)


ROWS = (
    _counted(
        "ngram_tinyshakespeare",
        (),
        _nats(1.56, anchor="1.558 (Kneser-Ney of the same order)", **_BESIDE_FREQUENCIES),
        headline=True,
    ),
    _counted(
        "ngram_witten_bell_tinyshakespeare",
        ("--model.smoothing", "witten_bell"),
        _nats(**_BESIDE_FREQUENCIES),
    ),
    _counted(
        "ngram_witten_bell_5_tinyshakespeare",
        ("--model.smoothing", "witten_bell", "--model.order", "5"),
        _nats(**_BESIDE_FREQUENCIES),
    ),
    _row(
        *("gpt_tinyshakespeare_preset", "GPT", "gpt_tinyshakespeare_preset", "2,000 updates of 12 windows", _FRESH),
        _nats(anchor="1.88 (nanoGPT, for the same network and budget)", **_BESIDE_COUNTS),
    ),
    _row(
        *("gpt_tinyshakespeare", "GPT", "gpt_tinyshakespeare", "2,000 updates of 12 windows", _FRESH),
        _nats(1.66, of_mean=True, anchor="1.654 (the same ideas, one run)", **_BESIDE_COUNTS),
        headline=True,
    ),
    _row(
        *("gpt_tinyshakespeare_long", "GPT", "gpt_tinyshakespeare_long", "18,000 updates of 16 windows", _FRESH),
        _nats(1.50, anchor="1.4697 (nanoGPT on a GPU, the best validation of 10.7M weights)", **_BESIDE_COUNTS),
        seeds=(0,),
        cost="hours",
        elsewhere="one core, half an hour",
    ),
    _row(
        *("recurrent_tinyshakespeare", "RecurrentLanguageModel", "recurrent_tinyshakespeare"),
        *("2,000 updates of 12 windows", _CARRIED),
        _nats(1.62, of_mean=True, anchor="1.601 to 1.609 (the same network, state carried)", **_BESIDE_COUNTS),
        headline=True,
    ),
    _row(
        *("recurrent_tinyshakespeare_long", "RecurrentLanguageModel", "recurrent_tinyshakespeare_long"),
        *("7,000 updates of 12 windows", _CARRIED),
        _nats(1.50, **_BESIDE_COUNTS),
        elsewhere="one core, five minutes",
    ),
    Row(
        name="nplm_aesop",
        kind="score",
        program="programs.scores",
        system="NPLM",
        config="configs/text/nplm_aesop.yaml",
        budget="11 epochs",
        seeds=(0, 1, 2),
        figures=(_perplexity(guess_row="trigrams_aesop"),),
        protocol="the last tenth of Aesop's fables, each word given at least four before it, of 2,000 token ids;"
        " tokenizer and weights know the text before it, but for its first twentieth; final weights",
    ),
    Row(
        name="recurrent_war_and_peace",
        kind="score",
        program="programs.scores",
        system="RecurrentLanguageModel",
        config="configs/text/recurrent_war_and_peace.yaml",
        budget="14 epochs, an hour of a core",
        seeds=(0,),
        figures=(
            Figure(
                *("test/bits_per_character@last", "bits a character"),
                better="lower",
                book="excerpts only",
                baseline="baseline/bits_per_character",
                guess="n-grams of six characters",
            ),
        ),
        protocol="the last twentieth of War and Peace, in 64 lanes, the state carried from window to window; tokenizer"
        " and weights know the text before it, but for its first fiftieth; the n-grams are given all before a character"
        " and smoothed by Kneser-Ney's method; final weights",
        options={"args": ("--trainer.max_epochs", "14"), "baseline": "six_grams"},
        cost="hours",
        elsewhere="one core, an hour",
    ),
    Row(
        name="recurrent_aesop",
        kind="score",
        program="programs.scores",
        system="RecurrentLanguageModel",
        config="configs/text/recurrent_aesop.yaml",
        budget="40 epochs, an hour of a core",
        seeds=(0,),
        figures=(_perplexity(book="text only"),),
        protocol="the last tenth of Aesop's fables, each word given the 20 before it; tokenizer and weights know the"
        " text before it, but for its first twentieth; final weights",
        options={"args": ("--trainer.max_epochs", "40"), "baseline": "trigrams"},
        cost="hours",
        elsewhere="one core, an hour",
    ),
    Row(
        name="recurrent_aesop_every_word",
        kind="score",
        program="programs.scores",
        system="RecurrentLanguageModel",
        config="configs/text/recurrent_aesop_every_word.yaml",
        budget="16 epochs, a minute of a core",
        seeds=(0, 1, 2),
        figures=(_perplexity(),),
        protocol="the last tenth of Aesop's fables, in 16 lanes, the state carried from window to window; tokenizer and"
        " weights know the text before it, but for its first twentieth; the trigrams are given the two words before a"
        " word; final weights",
        options={"baseline": "trigrams"},
    ),
    *(
        Row(
            name=f"speed_epoch_{config.partition('_')[0]}",
            kind="speed",
            program="programs.speed_epoch",
            system=system,
            config=f"configs/text/{config}.yaml",
            protocol="`train.py fit` with its default callbacks and loggers (metrics.csv, W&B offline, exact resume,"
            " last and best checkpoint, progress bar), epochs of 100 batches; the loop trains a copy of the network"
            " between the epochs of the fit, in its process, on the same tokens, with equal optimizers, schedules,"
            " clipping and allocator settings; ten pairs in turn, one thread, seconds of the processor;"
            " median of the pairs' ratios with its 95 % confidence interval (bootstrap), which decides",
            title=f"{system}: an epoch of `fit` against a hand-written loop",
            bar=("<=", 1.05),
            ours="fit {:.2f} s",
            other="loop {:.2f} s",
            options={
                "args": (
                    *("--config", f"configs/text/{config}.yaml", "--trainer.limit_train_batches", "100"),
                    *("--trainer.limit_val_batches", "2", "--trainer.max_steps", "-1"),
                )
            },
        )
        for system, config in (("GPT", "gpt_tinyshakespeare"), ("RecurrentLanguageModel", "recurrent_tinyshakespeare"))
    ),
    *(
        Row(
            name=f"speed_cache_{length}",
            kind="speed",
            program="programs.speed_cache",
            system="GPT",
            protocol=f"{length:,} tokens of one text, greedily, by 4 layers of 128 of random weights; the other side"
            " reads all tokens anew for each new one and writes the same; ten pairs in turn, one thread, seconds of the"
            " processor; median of the pairs' ratios with its 95 % confidence interval (bootstrap), which decides",
            title=f"GPT: {length:,} tokens with keys and values kept against reading all anew",
            bar=(">=", bar),
            ours="kept {:,.0f} tokens/s",
            other="anew {:,.0f} tokens/s",
            options={"length": length},
        )
        for length, bar in ((256, 4.0), (1024, 8.0))
    ),
    Row(
        name="gpt_tinyshakespeare_gpu",
        kind="score",
        program="programs.scores",
        system="GPT",
        config="configs/text/gpt_tinyshakespeare_gpu.yaml",
        budget="5,000 updates of 64 windows of 256 characters",
        protocol=f"{_SHAKESPEARE}; in windows of 256 characters, each begun without what was before it; best weights",
        figures=(
            Figure(
                *("test/loss@best", "nats a character"),
                better="lower",
                anchor="1.4697 (nanoGPT, the best validation of the same network and budget)",
                **_BESIDE_COUNTS,
            ),
        ),
        options={"checkpoints": ("best",)},
        cost="hours",
        elsewhere="a GPU (--gpu)",
        gpu=Gpu(6, 6.0),
    ),
)
