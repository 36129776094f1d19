"""The options of the commands on a checkpoint.

Nothing here imports torch, so that ``--help`` and mistakes answer at once.
"""

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from dlmodules.errors import UserError
from dlmodules_cli.messages import OneLineErrors

NUM = 64
"""So many are sampled where the user names no number."""
FORM = "name=low:high:steps, such as code1=-2:2:8"
"""How ``--traverse`` is written."""
CKPT_PATH = "Checkpoint of a run, the run's folder, or `last` or `best` of the newest run below runs/."
FIRST_PORT = 7860
"""The page of ``explore`` takes the first free port from here on."""


class CheckpointParser(OneLineErrors, ArgumentParser):
    """The parser of a command on a checkpoint."""


def parse(command: str, args: list[str]) -> Namespace:
    """Return the options of ``sample``, ``score``, ``translate``, ``export``, ``explore`` or ``play``.

    Raises:
        UserError: a number or a name cannot be.
    """
    chosen: Namespace = PARSERS[command]().parse_args(args)
    if command == "sample" and chosen.num is not None and chosen.num < 1:
        raise UserError(f"--num is {chosen.num}; at least 1 is needed")
    if command == "play":
        _refuse_what_cannot_be_played(chosen)
    if command == "export" and Path(chosen.output).suffix != ".onnx":
        raise UserError(f"--output is {chosen.output}; its name must end in .onnx")
    return chosen


def _sample() -> CheckpointParser:
    parser = _parser(
        "sample",
        "From a checkpoint alone, new images, rows or text of a generative module, or played episodes of an agent.",
    )
    parser.add_argument("--output", type=str, required=True, help="Folder for the picture and the raw samples.")
    parser.add_argument(
        "--num",
        type=int | None,
        default=None,
        help=f"Number of images, of rows, or of episodes of an agent (default: {NUM}); of tokens of a text (default:"
        " 300); with --traverse, rows of images (default: one for each class, or one).",
    )
    parser.add_argument("--label", type=int | None, default=None, help="Class to sample, for a conditional module.")
    parser.add_argument(
        "--traverse", type=str | None, default=None, help=f"Change one code along each row of images: {FORM}."
    )
    parser.add_argument(
        "--prompt",
        type=str | None,
        default=None,
        help="What a text goes on from (default: a new line or, of words, the most frequent one), or is written for.",
    )
    parser.add_argument(
        "--file",
        type=str | None,
        default=None,
        help="A text file whose lines a model of pairs writes a line each for, such as translations.",
    )
    parser.add_argument(
        "--temperature",
        type=float | None,
        default=None,
        help="Of a text: below 1 it is safer, above it bolder; 0 takes the most probable token (default: 1).",
    )
    parser.add_argument(
        "--top_k", type=int | None, default=None, help="Draw among so many of the most probable tokens of a text."
    )
    parser.add_argument(
        "--top_p",
        type=float | None,
        default=None,
        help="Draw among the fewest most probable tokens of a text that have this probability together.",
    )
    parser.add_argument(
        "--beam",
        type=int | None,
        default=None,
        help="In place of a draw: the most probable text that a beam search finds, keeping so many at each length"
        " (of a model of pairs by default as in its test; 1 writes greedily).",
    )
    parser.add_argument(
        "--repetition_penalty",
        type=float | None,
        default=None,
        help="Above 1, tokens that a text has already become less probable (default: 1).",
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the noise: the same seed gives the same images.")
    _add_ema(parser)
    _add_imports(parser)
    return parser


def _export() -> CheckpointParser:
    parser = _parser(
        "export",
        "A network, policy, generator, decoder or encoder of a checkpoint as an ONNX file, checked against torch.",
    )
    parser.add_argument("--output", type=str, required=True, help="The file to write; it ends in .onnx.")
    parser.add_argument(
        "--part",
        type=Literal["policy", "generator", "network", "decoder", "encoder"] | None,
        default=None,
        help="What to write; by default the first of these that the module has.",
    )
    _add_imports(parser)
    return parser


def _translate() -> CheckpointParser:
    parser = _parser(
        "translate", "Own images of one domain in another, by a checkpoint alone; one file for each image."
    )
    parser.add_argument("--input", type=str, required=True, help="A folder of images, in folders of their own or not.")
    parser.add_argument(
        "--output", type=str, required=True, help="Folder for the translated images, of the same names."
    )
    parser.add_argument(
        "--direction", type=str, default="a2b", help="a2b, or b2a where the module has learned the way back."
    )
    parser.add_argument(
        "--image_size",
        type=int | None,
        default=None,
        help="Height and width that images are read in, for networks that take any; None is that of the training.",
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the noise of a generator that draws some.")
    _add_ema(parser)
    _add_imports(parser)
    return parser


def _score() -> CheckpointParser:
    parser = _parser("score", "How probable a language model finds texts: perplexity, and bits a character.")
    parser.add_argument("--input", type=str, required=True, help="A text file, or a folder of files that end in .txt.")
    _add_ema(parser)
    _add_imports(parser)
    return parser


def _explore() -> CheckpointParser:
    parser = _parser("explore", "A page in the browser that decodes, morphs, samples or classifies with a checkpoint.")
    parser.add_argument(
        "--attributes",
        type=str | None,
        default=None,
        help="File of attribute vectors; by default attribute_vectors.npz in the run's folder, if there is one.",
    )
    parser.add_argument(
        "--port",
        type=int | None,
        default=None,
        help=f"Port of the page; by default the first free one from {FIRST_PORT} on.",
    )
    parser.add_argument(
        "--host", type=str, default="127.0.0.1", help="Address to listen at; 0.0.0.0 lets other computers in."
    )
    _add_ema(parser)
    _add_imports(parser)
    return parser


def _play() -> CheckpointParser:
    parser = CheckpointParser(
        prog="play",
        description="A game in the terminal against a checkpoint or a search, or between two of these.",
        allow_abbrev=False,
    )
    parser.add_argument("--ckpt_path", type=str | None, default=None, help=f"The opponent: {CKPT_PATH}")
    parser.add_argument(
        "--simulations", type=int, default=100, help="Simulations a move of a checkpoint; 0 plays its policy alone."
    )
    parser.add_argument(
        "--game",
        type=str | None,
        default=None,
        help="tic_tac_toe, connect_four, othello6, or the import path of a class (default: that of the checkpoint, or"
        " connect_four).",
    )
    parser.add_argument(
        "--opponent",
        type=str | None,
        default=None,
        help="Without a checkpoint: random, uct:SIMULATIONS, minimax:DEPTH, or minimax (default: uct:1000).",
    )
    parser.add_argument("--begin", type=bool, default=True, help="Whether you, or the player watched, move first.")
    parser.add_argument(
        "--watch",
        type=str | None,
        nargs="?",
        const="",
        default=None,
        help="Watch a player such as uct:200 in your place; without a name, the opponent plays itself.",
    )
    parser.add_argument(
        "--games", type=int, default=1, help="With --watch: so many games at once, each opening from both sides."
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the players' chances.")
    _add_imports(parser)
    return parser


PARSERS = {
    "sample": _sample,
    "score": _score,
    "export": _export,
    "translate": _translate,
    "explore": _explore,
    "play": _play,
}


def _refuse_what_cannot_be_played(chosen: Namespace) -> None:
    if chosen.ckpt_path is not None and chosen.opponent is not None:
        raise UserError(
            f"--ckpt_path is the opponent already: leave out --opponent, or watch both with --watch {chosen.opponent}"
        )
    if chosen.games < 1 or (chosen.games > 1 and chosen.games % 2):
        raise UserError(f"--games is {chosen.games}; it must be 1, or an even number: each opening has two sides")
    if chosen.games > 1 and chosen.watch is None:
        raise UserError("--games is for two players: name yours with --watch, such as --watch uct:200")
    if chosen.simulations < 0:
        raise UserError(f"--simulations is {chosen.simulations}; it must be 0 or more")


def _parser(command: str, description: str) -> CheckpointParser:
    parser = CheckpointParser(prog=command, description=description, allow_abbrev=False)
    parser.add_argument("--ckpt_path", type=str, required=True, help=CKPT_PATH)
    return parser


def _add_ema(parser: CheckpointParser) -> None:
    parser.add_argument("--ema", type=bool, default=True, help="Use averaged weights where the checkpoint has them.")


def _add_imports(parser: CheckpointParser) -> None:
    parser.add_argument(
        "--imports",
        type=list[str],
        default=[],
        help="Modules to import first, where the module is your own class.",
    )
