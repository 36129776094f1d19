"""``sample``: from a checkpoint alone, new images or rows of a generative module or played episodes of an agent."""

from pathlib import Path

from jsonargparse import ArgumentParser

from callbacks.base.requirements import members
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, SamplesImages, SamplesRows
from dlmodules_cli.loading import add_ckpt_path, add_ema, add_imports, import_own, load_trained
from dlmodules_cli.messages import OneLineErrors
from dlmodules_cli.sampling.episodes import write_episodes
from dlmodules_cli.sampling.images import write_images
from dlmodules_cli.sampling.request import NUM, Request, Writer
from dlmodules_cli.sampling.rows import write_rows
from dlmodules_cli.sampling.traversals import FORM, parse_traversal, write_traversal

WRITERS: dict[type, Writer] = {
    Acts: write_episodes,
    SamplesImages: write_images,
    SamplesRows: write_rows,
}
"""What is written for a module: the writer of the first of these protocols that it has."""


class SampleParser(OneLineErrors, ArgumentParser):
    """The parser of ``sample``."""


def sample(args: list[str]) -> None:
    """Run ``sample`` with command-line arguments ``args``."""
    chosen = _parser().parse_args(args)
    if chosen.num is not None and chosen.num < 1:
        raise UserError(f"--num is {chosen.num}; at least 1 is needed")
    traversal = None if chosen.traverse is None else parse_traversal(chosen.traverse)
    import_own(chosen.imports)
    module, checkpoint = load_trained(chosen.ckpt_path, chosen.ema)
    output = Path(chosen.output)
    request = Request(module, checkpoint, output, chosen.num, chosen.label, chosen.seed)
    try:
        output.mkdir(parents=True, exist_ok=True)
        if traversal is not None:
            write_traversal(request, traversal)
        else:
            writer_of(module)(request)
    except OSError as error:
        raise UserError(f"cannot write to {output}: {error.strerror}") from error


def writer_of(module: object) -> Writer:
    """Return the writer for what ``module`` samples. Raises UserError where it samples nothing."""
    for protocol, writer in WRITERS.items():
        if isinstance(module, protocol):
            return writer
    known = ", or ".join(members(protocol) for protocol in WRITERS)
    raise UserError(f"{type(module).__name__} neither samples nor acts: it must have {known}")


def _parser() -> SampleParser:
    parser = SampleParser(prog="sample", description=__doc__)
    add_ckpt_path(parser)
    parser.add_argument("--output", type=str, required=True, help="Folder for the picture and the raw samples.")
    parser.add_argument(
        "--num",
        type=int | None,
        default=None,
        help=f"Number of images, of rows, or of episodes of an agent (default: {NUM}); with --traverse, rows of images"
        " (default: one for each class, or one).",
    )
    parser.add_argument("--label", type=int | None, default=None, help="Class to sample, for a conditional module.")
    parser.add_argument(
        "--traverse", type=str | None, default=None, help=f"Change one code along each row of images: {FORM}."
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the noise: the same seed gives the same images.")
    add_ema(parser)
    add_imports(parser)
    return parser
