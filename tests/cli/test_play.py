import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
from pytorch_lightning import LightningModule

from datamodules.games import TicTacToe
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.rl.search.mcts import UCTPlayer
from dlmodules_cli.main import main
from dlmodules_cli.play.board import board_text
from dlmodules_cli.play.human import HumanPlayer, QuitError
from tests.dlmodules.rl.search.positions import GAME, after

ROOT = Path(__file__).parents[2]


class Learned(LightningModule):
    """Plays TicTacToe, as a module that has learned it would."""

    def __init__(self, game_name: str = "tic_tac_toe") -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.game_name = game_name

    def player(self, simulations: int = 100) -> UCTPlayer:
        return UCTPlayer(simulations + 1)


@pytest.fixture
def checkpoint_of(tmp_path):
    """Save a module as a run does, and return the file."""

    def saved(module):
        path = tmp_path / f"{type(module).__name__}.ckpt"
        trainer = pl.Trainer(logger=False, enable_progress_bar=False, enable_model_summary=False, accelerator="cpu")
        trainer.strategy.connect(module)
        trainer.save_checkpoint(path)
        return str(path)

    return saved


@pytest.fixture
def types(monkeypatch):
    """Give the words to be typed; after them the input ends."""

    def typed(*words):
        left = list(words)

        def ask(prompt=""):
            print(prompt, end="")
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("builtins.input", ask)

    return typed


def mistake(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main(["play", *args])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("error: ")


def test_a_game_against_a_search(types, capsys):
    types("4", "9", "", "?", "4")
    main(["play", "--opponent", "uct:20"])
    out = capsys.readouterr().out
    assert "connect_four: X is you, O is uct:20" in out
    assert "'9' is no legal move here; there are: 1 2 3 4 5 6 7" in out
    assert "uct:20 would play" in out
    assert out.count("uct:20 plays") == 2
    assert "expects" in out
    assert "%" in out
    assert "[O]" in out
    assert out.endswith("bye\n")


def test_a_game_to_its_end(types, capsys):
    types(*[f"{column}{row}" for column in "abc" for row in "123"])
    main(["play", "--game", "tic_tac_toe", "--opponent", "random", "--seed", "1"])
    out = capsys.readouterr().out
    assert "the end" in out
    assert out.splitlines()[-1] in ("you win", "random wins", "a draw")
    types("q")
    main(["play", "--game", "tic_tac_toe", "--opponent", "minimax", "--begin", "false"])
    out = capsys.readouterr().out
    assert "X is minimax, O is you" in out
    assert "(q quits): " in out  # minimax shows no thoughts, so there is no hint


def test_two_players_are_watched(capsys):
    main(["play", "--game", "tic_tac_toe", "--opponent", "minimax", "--watch", "uct:30"])
    out = capsys.readouterr().out
    assert "X is uct:30, O is minimax" in out
    assert out.splitlines()[-1] in ("a draw", "minimax wins")
    main(["play", "--game", "othello6", "--opponent", "random", "--watch"])
    assert "X is random, O is random" in capsys.readouterr().out


def test_a_match_is_counted(capsys):
    main(["play", "--opponent", "random", "--watch", "minimax:2", "--games", "20"])
    (line,) = capsys.readouterr().out.splitlines()
    found = re.fullmatch(
        r"minimax:2 against random, 20 games of connect_four: (\d+) won \(\d+ with the first move\), 0 drawn,"
        r" (\d+) lost; wins (\d+)\.0%, 95 % interval \d+\.\d% to \d+\.\d%",
        line,
    )
    assert found is not None
    won, lost, percent = map(int, found.groups())
    assert won + lost == 20
    assert percent == 5 * won >= 90


def test_against_a_checkpoint(types, capsys, checkpoint_of):
    path = checkpoint_of(Learned())
    types("b2")
    main(["play", "--ckpt_path", path, "--simulations", "30"])
    assert "tic_tac_toe: X is you, O is uct:31" in capsys.readouterr().out
    assert "the checkpoint plays tic_tac_toe" in mistake(capsys, "--ckpt_path", path, "--game", "othello6")
    assert "leave out --opponent" in mistake(capsys, "--ckpt_path", path, "--opponent", "random")


def test_a_checkpoint_imports_no_module_for_its_game(capsys, checkpoint_of, tmp_path, monkeypatch):
    (tmp_path / "foreign_games.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    path = checkpoint_of(Learned("foreign_games.Nim"))
    assert mistake(capsys, "--ckpt_path", path).startswith("the checkpoint names foreign_games.Nim: import its module")


def test_a_module_that_plays_nothing(capsys, checkpoint_of):
    from dlmodules import VAE

    assert mistake(capsys, "--ckpt_path", checkpoint_of(VAE())).startswith("VAE plays no games of two players")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--game", "tictactoe"), "there is no game tictactoe (did you mean tic_tac_toe?)"),
        (("--opponent", "uct:x"), "there is no player uct:x; there are: random, uct:SIMULATIONS"),
        (("--watch", "--games", "3"), "--games is 3; it must be 1, or an even number"),
        (("--games", "4"), "--games is for two players"),
        (("--ckpt_path", "nowhere.ckpt"), "there is no checkpoint nowhere.ckpt"),
        (("--simulations", "-1"), "--simulations is -1"),
    ],
)
def test_mistakes_end_in_one_line(capsys, args, line):
    assert mistake(capsys, *args).startswith(line)


def test_a_human_may_only_move_where_the_rules_allow():
    said, words = [], iter(["a1", " B2 ", "quit"])
    human = HumanPlayer(ask=lambda prompt: next(words), say=said.append)
    game = TicTacToe()
    boards = game.play(game.start(1), np.array([0]))
    assert human.choose(game, boards).tolist() == [4]
    assert said == ["'a1' is no legal move here; there are: b1 c1 a2 b2 c2 a3 b3 c3"]
    with pytest.raises(QuitError):
        human.choose(game, boards)


def test_a_board_in_the_terminal_can_be_read_without_colours():
    heat = np.array([0, 0.001, 0.2, 0.5, 0.299, 0, 0], np.float32)
    lines = board_text(GAME, after(3), "title", last_square=38, heat=heat).plain.splitlines()
    assert lines[0].strip() == "title"
    assert lines[-1].split() == [".", "<1%", "20%", "[X]", "30%", ".", "."]
    assert lines[-2].split() == [".", ".", ".", "50%", ".", ".", "."]
    named = board_text(GAME, after(3), names_moves=True).plain.splitlines()
    assert named[-1].split() == ["1", "2", "3", "X", "5", "6", "7"]


@pytest.mark.slow
def test_ctrl_c_ends_a_game_without_a_traceback():
    # Who runs the tests in the background of a shell has them ignore Ctrl-C, and their children with them.
    run = f"import runpy; runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')"
    listening = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {run}"
    program = subprocess.Popen(
        [sys.executable, "-c", listening, "play", "--opponent", "random"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONUNBUFFERED="1"),
        text=True,
    )
    assert program.stdout is not None
    while "your move" not in program.stdout.readline():
        pass
    time.sleep(1)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=60)
    assert program.returncode == 130
    assert errors == ""
