"""``sample``: from a checkpoint alone, new images, rows or text of a generative module, or an agent's episodes."""

from pathlib import Path

from jsonargparse import Namespace

from callbacks.base.requirements import members
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, ContinuesText, SamplesImages, SamplesRows, SamplesStrokes, TranslatesTexts
from dlmodules_cli.loading import import_own, load_trained
from dlmodules_cli.sampling.episodes import write_episodes
from dlmodules_cli.sampling.images import write_images
from dlmodules_cli.sampling.request import Request, Writer
from dlmodules_cli.sampling.rows import write_rows
from dlmodules_cli.sampling.strokes import write_strokes
from dlmodules_cli.sampling.texts import write_text
from dlmodules_cli.sampling.translations import write_translations
from dlmodules_cli.sampling.traversals import parse_traversal, write_traversal

WRITERS: dict[type, Writer] = {
    Acts: write_episodes,
    SamplesImages: write_images,
    SamplesRows: write_rows,
    ContinuesText: write_text,
    TranslatesTexts: write_translations,
    SamplesStrokes: write_strokes,
}
"""What is written for a module: the writer of the first of these protocols that it has."""

OF_TEXTS = ("prompt", "file", "beam", "temperature", "top_k", "top_p", "repetition_penalty")
TAKEN: dict[type, tuple[str, ...]] = {ContinuesText: OF_TEXTS, TranslatesTexts: OF_TEXTS, SamplesStrokes: OF_TEXTS[:2]}
"""Which options of texts a module takes that has one of these protocols."""


def sample(chosen: Namespace) -> None:
    """Run ``sample`` with its options."""
    traversal = None if chosen.traverse is None else parse_traversal(chosen.traverse)
    import_own(chosen.imports)
    module, checkpoint = load_trained(chosen.ckpt_path, chosen.ema)
    output = Path(chosen.output)
    given = {name: chosen[name] for name in OF_TEXTS if chosen[name] is not None}
    taken = next((options for protocol, options in TAKEN.items() if isinstance(module, protocol)), ())
    if wrong := [name for name in given if name not in taken]:
        what = "chooses no tokens" if taken else "writes no text"
        raise UserError(f"{type(module).__name__} {what}: leave --{wrong[0]} out")
    request = Request(module, checkpoint, output, chosen.num, chosen.label, chosen.seed, **given)
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
