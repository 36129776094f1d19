"""The page of the books' worked examples."""

import pytest

from benchmarks import worked_examples


def test_the_page_is_as_the_code_has_it():
    page = worked_examples.PAGE.read_text(encoding="utf-8")
    assert page == worked_examples.written_anew(page), "run python -m benchmarks.worked_examples"
    for name in worked_examples.PARTS:
        assert page.count(f"begin of {name}:") == page.count(f"end of {name} ") == 1


def test_a_part_that_is_out_of_date_is_written_anew(tmp_path):
    page = worked_examples.PAGE.read_text(encoding="utf-8")
    path = tmp_path / "page.md"
    path.write_text(page.replace("| -14 |", "| -13 |"), encoding="utf-8")
    worked_examples.main(path)
    assert path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("part", "lines"),
    [
        ("trace", ["| 4 | right | -100 | the episode ends | -100 |", "0 + 0.9 · 100 = 90"]),
        ("first row", ["| -1 |", "| -1.25 |"]),
        ("sweeps", ["After sweep 114", "| -14 | -18 | -20 | -20 |"]),
        ("improvement", ["| 6 | -15 | -21 | -21 | -15 | 0.5 left, 0.5 up |"]),
        ("iteration", ["Policy 3 cannot be improved."]),
    ],
)
def test_what_the_books_print_is_there(part, lines):
    text = worked_examples.PARTS[part]()
    assert all(line in text for line in lines)
