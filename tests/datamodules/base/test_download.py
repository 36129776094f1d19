from pathlib import Path

import pytest

from datamodules.base.download import download
from dlmodules.errors import UserError


def test_the_temporary_folder_is_on_the_same_disk_and_goes_away(tmp_path: Path) -> None:
    folder, used = tmp_path / "data", []

    def fetch(name: str) -> None:
        used.append(Path(name))
        assert list(folder.iterdir()) == [Path(name)]
        (Path(name) / "sub").mkdir()
        (Path(name) / "sub" / "file").write_text("all of it")

    download(folder, fetch, results=["sub/file"], archives=[], advice="")
    assert used[0].parent == folder
    assert list(folder.iterdir()) == [folder / "sub"]
    assert (folder / "sub" / "file").read_text() == "all of it"


def test_a_result_that_is_missing_moves_nothing(tmp_path: Path) -> None:
    def fetch(name: str) -> None:
        (Path(name) / "one").write_text("")

    with pytest.raises(UserError, match=r"the download lacks two\)\. Ask a friend"):
        download(tmp_path, fetch, results=["one", "two"], archives=[], advice="Ask a friend")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"downloading to .*file/data failed"):
        download(tmp_path / "file" / "data", lambda name: None, results=[], archives=[], advice="")
