"""The files of the pictures that the page shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlmodules_cli.explore.picture_files import picture_file


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


def test_a_picture_that_is_shown_again_leaves_its_file_alone(tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    file = Path(picture_file(grey))
    assert tmp_path in file.parents
    with file.open("rb") as fetched:  # by a browser, slowly
        first = fetched.read(10)
        assert picture_file(grey.copy()) == str(file)
        (tmp_path / "read.png").write_bytes(first + fetched.read())
    assert np.array_equal(np.array(Image.open(tmp_path / "read.png")), grey)
    assert [one.name for one in file.parent.iterdir()] == ["image.png"]


def test_other_pictures_have_other_files():
    coloured = np.zeros((4, 4, 3), dtype=np.uint8)
    assert picture_file(coloured) != picture_file(coloured + 1)


def test_answers_of_the_page_hold_files_instead_of_pictures():
    pytest.importorskip("gradio")
    from dlmodules_cli.explore.parts import answering

    picture = np.zeros((4, 4), dtype=np.uint8)
    assert answering(lambda: picture)() == picture_file(picture)
    assert answering(lambda text: [text, picture])("read") == ["read", picture_file(picture)]
    assert answering(lambda: ({"a": 0.5}, picture))() == [{"a": 0.5}, picture_file(picture)]
    assert answering(lambda: [0.5, 1.0])() == [0.5, 1.0]
    assert answering(lambda: None)() is None
