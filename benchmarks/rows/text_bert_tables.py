"""The row of BERT on film reviews: what it learns without labels."""

from benchmarks.row import Figure, Row

ROWS = (
    Row(
        name="bert_imdb",
        kind="score",
        program="programs.scores",
        system="BERT",
        config="configs/text/bert_imdb.yaml",
        budget="6 epochs of 20,000 reviews",
        figures=(
            Figure("test/masked_accuracy@last", "hidden words found", digits=3),
            Figure("test/next_accuracy@last", "next sentences told", digits=3),
        ),
        protocol="a twentieth of the 20,000 reviews, in pairs of segments of at most 62 words, of 16,000; 15 % of them"
        " hidden by the same draws each time; final weights",
        options={"args": ("--data.vocabulary_file", "null")},
        cost="hours",
        elsewhere="one core, an hour",
    ),
)
