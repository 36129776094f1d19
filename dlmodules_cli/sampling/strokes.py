"""``sample`` for modules of handwriting: lines of their own, or of a prompt."""

from callbacks.base.media import figure_to_image
from callbacks.strokes.stroke_samples import strokes_figure
from dlmodules.errors import UserError
from dlmodules.protocols import SamplesStrokes, WritesText
from dlmodules_cli.sampling.request import Request, write_grid
from dlmodules_cli.sampling.translations import given_lines

LINES = 12
"""Lines to write where the user names no number."""


def write_strokes(request: Request) -> None:
    """Write ``samples.png``, and ``samples.npz`` with ``samples (n, T, 3)``, offsets and pens.

    Of a prompt or a file each line is written, ``num`` times.

    Raises:
        UserError: a class is requested, or a text of a module that writes none, or one that it cannot write.
    """
    module = request.module
    if request.label is not None:
        raise UserError(f"{request.name} is not conditional: leave --label out")
    texts = None
    if request.prompt is not None or request.file is not None:
        if not isinstance(module, WritesText):
            raise UserError(f"{request.name} writes no given text: leave --prompt and --file out")
        texts = [line for line in given_lines(request) if line for _ in range(request.num or 1)]
        strokes = module.write(texts, generator=request.generator())
    else:
        assert isinstance(module, SamplesStrokes)
        n = LINES if request.num is None else request.num
        strokes = module.sample_strokes(n, generator=request.generator())
    strokes = strokes.float().cpu()
    where = write_grid(request.output, figure_to_image(strokes_figure(strokes)), {"samples": strokes.numpy()})
    print(f"{len(strokes)} lines: {where} (array `samples`, {tuple(strokes.shape)}, offsets and pens)")
