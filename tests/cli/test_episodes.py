"""A checkpoint's environment is made without importing what only the file asks for."""

import sys

import gymnasium as gym
import pytest

from dlmodules.errors import UserError
from dlmodules_cli.episodes import check_names


class OwnWrapper(gym.Wrapper):
    """A wrapper of a module that is imported already."""


@pytest.mark.parametrize(
    "settings",
    [
        {"env_id": "CartPole-v1"},
        {"env_id": "CartPole-v1", "wrappers": None},
        {"env_id": "CartPole-v1", "wrappers": ["gymnasium.wrappers.FlattenObservation"]},
        {"env_id": "CartPole-v1", "wrappers": [{"class_path": f"{__name__}.OwnWrapper", "init_args": {}}]},
    ],
)
def test_known_names_pass(settings):
    check_names(settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"env_id": "harmful:Env-v0"}, "import its module first, by --imports '.harmful.'"),
        ({"env_id": "CartPole-v1", "wrappers": ["harmful.Wrapper"]}, "import its module first"),
        ({"env_id": "CartPole-v1", "wrappers": ["subprocess.Popen"]}, "no gymnasium.Wrapper"),
        ({"env_id": "CartPole-v1", "wrappers": [{"class_path": "os.system"}]}, "no gymnasium.Wrapper"),
        ({"env_id": "ale_py_missing:ALE/Pong-v5"}, "import its module first"),
    ],
)
def test_what_only_the_file_asks_for_is_not_imported(settings, words, tmp_path, monkeypatch):
    (tmp_path / "harmful.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=words):
        check_names(settings)
    assert not (tmp_path / "ran").exists()
    assert "harmful" not in sys.modules
