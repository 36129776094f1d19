"""The three books and the lab course whose systems these are, and what an id such as ``atienza 8.1.1`` means.

README, start page and the tests of the package's docstring take it from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Book:
    """One of the sources.

    Args:
        key: the word that its ids begin with.
        title: its title.
        authors: who wrote it; empty where it names nobody.
        edition: publisher, edition, year and, for a book, the ISBN of the print.
        link: the publisher's page, or that of the course's work.
        programs: the repository of its programs.
        ids: what the rest of an id means.
    """

    key: str
    title: str
    authors: str
    edition: str
    link: str
    programs: str
    ids: str


BOOKS = (
    Book(
        key="atienza",
        title="Advanced Deep Learning with Keras",
        authors="Rowel Atienza",
        edition="Packt, first edition, 2018, ISBN 978-1-78862-941-6",
        link="https://www.packtpub.com/big-data-and-business-intelligence/advanced-deep-learning-keras",
        programs="https://github.com/PacktPublishing/Advanced-Deep-Learning-with-Keras",
        ids="`8.1.1` is listing 8.1.1; a letter, as in `8.1.R`, is for what has no listing of its own",
    ),
    Book(
        key="vasilev",
        title="Python Deep Learning",
        authors="Ivan Vasilev, Daniel Slater, Gianmario Spacagna, Peter Roelants, Valentino Zocca",
        edition="Packt, second edition, 2019, ISBN 978-1-78934-846-0",
        link="https://www.packtpub.com/product/python-deep-learning-second-edition/9781789348460",
        programs="https://github.com/PacktPublishing/Python-Deep-Learning-Second-Edition",
        ids="`4.16` is the sixteenth system of chapter 4",
    ),
    Book(
        key="foster",
        title="Generative Deep Learning: Teaching Machines to Paint, Write, Compose, and Play",
        authors="David Foster",
        edition="O'Reilly, first edition, 2019, ISBN 978-1-4920-4194-8",
        link="https://www.oreilly.com/library/view/generative-deep-learning/9781492041931/",
        programs="https://github.com/davidADSP/GDL_code",
        ids="`F3.5` is the fifth system of chapter 3",
    ),
    Book(
        key="lab",
        title="Lab 3: reinforcement learning, text and GANs",
        authors="",
        edition="a student's report for the course UMU54907, spring 2019",
        link="https://github.com/SylGrafe/RepoDl01",
        programs="https://github.com/SylGrafe/RepoDl01/tree/master/lab3",
        ids="`L5` is its fifth exercise",
    ),
)


def book_table() -> str:
    """Return the sources as a table in Markdown, with what their ids mean."""
    lines = ["", "| ids begin with | source | its programs | the rest of an id |", "|---|---|---|---|"]
    for book in BOOKS:
        source = ", ".join(filter(None, (book.authors, f"[*{book.title}*]({book.link})", book.edition)))
        lines.append(f"| `{book.key}` | {source} | [repository]({book.programs}) | {book.ids} |")
    return "\n".join([*lines, "", ""])
