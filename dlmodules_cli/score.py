"""``score``: how probable a language model finds texts, by a checkpoint alone."""

from math import exp, log
from pathlib import Path

from jsonargparse import Namespace

from datamodules.base.text_files import files_below, read_text
from dlmodules.errors import UserError
from dlmodules.protocols import ScoresText, TextScore
from dlmodules_cli.loading import import_own, load_trained


def score(chosen: Namespace) -> None:
    """Run ``score`` with its options: print a line for each text, and one for all of them.

    Raises:
        UserError: the module scores no texts, or there is none, or one cannot be read or is too short.
    """
    import_own(chosen.imports)
    module, _ = load_trained(chosen.ckpt_path, chosen.ema)
    if not isinstance(module, ScoresText):
        raise UserError(f"{type(module).__name__} scores no texts: it has no `score`")
    found = []
    for path in texts_of(Path(chosen.input).expanduser()):
        try:
            found.append(module.score(read_text(path)))
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        print(f"{path}: {described(found[-1])}", flush=True)
    if len(found) > 1:
        nats, tokens, characters = (sum(numbers) for numbers in zip(*found, strict=True))
        print(f"{len(found)} texts: {described(TextScore(nats, int(tokens), int(characters)))}")


def texts_of(given: Path) -> list[Path]:
    """Return a file, or all files of a folder and its folders whose names end in .txt, sorted.

    Raises:
        UserError: there is none.
    """
    if not given.is_dir():
        return [given]
    files = files_below(given, (".txt",))
    if not files:
        raise UserError(f"there is no file in {given} whose name ends in .txt")
    return files


def described(found: TextScore) -> str:
    """Return a score in words: what a token and a character of it cost."""
    nats = found.nats / found.tokens
    bits = found.nats / log(2) / found.characters
    return f"{found.tokens} tokens, {nats:.3f} nats each, perplexity {exp(nats):.4g}, {bits:.3f} bits a character"
