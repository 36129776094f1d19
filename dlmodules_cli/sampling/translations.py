"""``sample`` for models that write a text for a text: of a prompt, or of each line of a file."""

from pathlib import Path

from datamodules.base.text_files import read_text
from dlmodules.errors import UserError
from dlmodules.protocols import TranslatesTexts
from dlmodules_cli.sampling.request import Request

AT_ONCE = 32
"""Lines that are read together: a few are quicker than one, and are shown soon."""


def write_translations(request: Request) -> None:
    """Write ``samples.txt``, a line for each line that is given, and show them as they are written.

    Raises:
        UserError: there is nothing to read, or an option is given that is for texts that go on from a prompt.
    """
    module, path = request.module, request.output / "samples.txt"
    assert isinstance(module, TranslatesTexts)
    if request.label is not None:
        raise UserError(f"{request.name} is not conditional: leave --label out")
    drawing = (
        *(request.temperature != 1, request.top_k is not None, request.top_p is not None),
        *(request.repetition_penalty != 1, request.num is not None),
    )
    if any(drawing):
        raise UserError(
            f"{request.name} writes what is most probable: of the options of texts it takes --prompt, --file and --beam"
        )
    lines = given_lines(request)
    written: list[str] = []
    for start in range(0, len(lines), AT_ONCE):
        found = iter(module.translate_texts([line for line in lines[start : start + AT_ONCE] if line], request.beam))
        for line in lines[start : start + AT_ONCE]:
            written.append(next(found) if line else "")  # a line without text has none
            print(f"{line}\n    {written[-1]}" if line else "", flush=True)
    path.write_text("\n".join(written) + "\n", encoding="utf-8")
    print(f"{len(written)} line{'s' if len(written) > 1 else ''}: {path}")


def given_lines(request: Request) -> list[str]:
    """Return the lines of the prompt or of the file, without blanks around them."""
    if (request.prompt is None) == (request.file is None):
        raise UserError(f'{request.name} writes a text for a text: give one by --prompt "...", or a file by --file')
    text = read_text(Path(request.file).expanduser()) if request.file is not None else str(request.prompt)
    lines = [line.strip() for line in text.splitlines()]
    if not any(lines):
        raise UserError(f"{request.file or 'the prompt'} has no text")
    return lines
