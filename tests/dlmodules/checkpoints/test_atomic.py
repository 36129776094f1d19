"""Files that are there whole, or not at all."""

import threading
from pathlib import Path

import pytest

from dlmodules.checkpoints.atomic import whole_file


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    path.write_text("before")
    with whole_file(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"  # by which a writer may choose the format
        temporary.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_what_breaks_off_leaves_what_was(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")

    def break_off() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        break_off()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_threads_do_not_spoil_each_others_file(tmp_path: Path) -> None:
    path, together = tmp_path / "a.txt", threading.Barrier(2)

    def write(letter: str) -> None:
        with whole_file(path) as temporary:
            temporary.write_text(letter)
            together.wait(timeout=10)
            assert temporary.read_text() == letter
            together.wait(timeout=10)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in ("a", "b")
    assert list(tmp_path.iterdir()) == [path]
