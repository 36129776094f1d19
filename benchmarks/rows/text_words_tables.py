"""The rows of word vectors."""

from benchmarks.row import Figure, Row

_WORDS = "6 million words of film reviews, IMDB's labelled training reviews and Rotten Tomatoes"
_TESTS = (
    "after the last epoch: the fraction of the analogies of questions-words.txt whose words are all among the 30,000"
    " most frequent that 3CosAdd solves, and Spearman's correlation on WordSim353; a hundredth of the text is held out"
)


def _row(name: str, config: str, what: str, analogies: float | None, similarity: float | None, anchor: str) -> Row:
    gensim = anchor.split(" | ")
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system="Word2Vec",
        config=f"configs/text/{config}.yaml",
        budget="5 epochs",
        seeds=(0, 1, 2),
        figures=(
            Figure("val/analogies@last", "analogies", bar=analogies, of_mean=True, anchor=gensim[0]),
            Figure("val/word_similarity@last", "WordSim353", bar=similarity, of_mean=True, anchor=gensim[1]),
        ),
        protocol=f"{what} on {_WORDS}; {_TESTS}",
        options={"stage": "validate"},
    )


ROWS = (
    _row(
        "word2vec_skip_gram_imdb",
        "word2vec_skip_gram_imdb",
        "skip-gram",
        0.126,
        0.34,
        "gensim 4.4: 0.146 | gensim 4.4: 0.373",
    ),
    _row("word2vec_cbow_imdb", "word2vec_cbow_imdb", "CBOW", None, None, "gensim 4.4: 0.140 | gensim 4.4: 0.297"),
    *(
        Row(
            name=f"speed_words_{architecture}",
            kind="speed",
            program="programs.speed_words",
            system="Word2Vec",
            config=f"configs/text/word2vec_{architecture}_imdb.yaml",
            protocol=f"{title} of 100 dimensions, window 5, 5 negatives, on a million of {_WORDS}: Lightning's trainer"
            " with the making of the batches, without validation, against gensim with one worker, whose thread of words"
            " to come is counted; one thread each, in turn",
            title=f"Word2Vec, {title}: Lightning's trainer against gensim",
            bar=(">=", 0.5),
            ours="{:,.0f} words/s",
            other="gensim {:,.0f} words/s",
        )
        for architecture, title in (("skip_gram", "skip-gram"), ("cbow", "CBOW"))
    ),
)
