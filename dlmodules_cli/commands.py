"""The commands, each in a line with an example: what ``--help`` and no arguments show."""

import os
import sys
from pathlib import Path
from typing import NamedTuple


class Command(NamedTuple):
    """What a command does, and its arguments in an example."""

    does: str
    example: str


COMMANDS = {
    "fit": Command("train a system, or go on with --ckpt_path last", "--config vae_digits --trainer.max_epochs 20"),
    "validate": Command("measure a checkpoint on the validation set", "--config vae_digits --ckpt_path best"),
    "test": Command("measure a checkpoint on the test set", "--config vae_digits --ckpt_path best"),
    "predict": Command("write what a checkpoint predicts of the test set", "--config mlp_digits --ckpt_path best"),
    "sample": Command("write new images, rows or texts, or film episodes", "--ckpt_path last --output samples"),
    "score": Command("tell how probable a language model finds texts", "--ckpt_path last --input letters.txt"),
    "translate": Command("bring own images into another domain", "--ckpt_path last --input photos --output painted"),
    "export": Command("write a network as ONNX", "--ckpt_path runs/mlp_digits/version_0 --output mlp.onnx"),
    "explore": Command("decode, morph and sample in the browser", "--ckpt_path last"),
    "play": Command("play a game against a checkpoint or a search", "--game connect_four --opponent uct:1000"),
    "pipeline": Command("train the parts of a system one after another, and go on there", "world_models/dodge"),
    "dashboard": Command("build a W&B workspace for the runs of a family of systems", "vaes"),
    "systems": Command("list the systems, or those with the given words", "mnist gan --long"),
}


def program() -> str:
    """Return how the user has called this program."""
    name = Path(sys.argv[0]).name
    if name == "__main__.py":
        return "python -m dlmodules_cli"
    return f"python {name}" if name.endswith(".py") else "dlmodules"


def overview() -> str:
    """Return the help of the whole program."""
    lines = [f"usage: {program()} COMMAND [OPTIONS]", ""]
    for name, command in COMMANDS.items():
        lines += [f"  {name:<9} {command.does}", f"            {program()} {name} {command.example}"]
    lines += [
        "",
        f"The options of a command: {program()} fit --help; those of a class: {program()} fit --model.help VAE",
        "Any system goes with any data that it understands: fit --model DCGAN --data DigitsDataModule",
    ]
    return "\n".join(lines)


def show(text: str) -> None:
    """Print ``text``; a reader that wants no more of it, such as ``head``, is no mistake."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is left in the buffer is thrown away at the end without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
