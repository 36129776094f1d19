"""``sample`` for language models: text that goes on from a prompt."""

import sys

from dlmodules.errors import UserError
from dlmodules.protocols import ContinuesText
from dlmodules.sequences.decoding import Decoding
from dlmodules_cli.sampling.request import Request

LENGTH = 300
"""Tokens to write where the user names no number."""


def write_text(request: Request) -> None:
    """Write ``samples.txt``, the prompt and what goes on from it, and show it as it is written.

    Raises:
        UserError: a class is requested, or the prompt has a token that the model does not know.
    """
    module, path = request.module, request.output / "samples.txt"
    assert isinstance(module, ContinuesText)
    if request.label is not None:
        raise UserError(f"{request.name} is not conditional: leave --label out")
    if request.file is not None:
        raise UserError(f"{request.name} goes on from a text: give it by --prompt, and leave --file out")
    prompt = module.first_prompt() if request.prompt is None else request.prompt
    length = LENGTH if request.num is None else request.num
    if request.beam is not None:
        (text, log_likelihood), *_ = module.most_probable_texts(prompt, length, request.beam)
        path.write_text(prompt + text, encoding="utf-8")
        print(f"{prompt}{text}\n{length} tokens, beam {request.beam}, {log_likelihood:.2f} nats: {path}")
        return
    decoding = Decoding(request.temperature, request.top_k, request.top_p, request.repetition_penalty)
    pieces: list[str] = []
    for piece in module.generate_text(prompt, length, decoding, request.generator()):
        if not pieces:  # the prompt is one that the model can read
            pieces.append(prompt)
            sys.stdout.write(prompt)
        pieces.append(piece)
        sys.stdout.write(piece)
        sys.stdout.flush()
    path.write_text("".join(pieces), encoding="utf-8")
    how = "greedy" if decoding.temperature == 0 else f"temperature {decoding.temperature:g}"
    print(f"\n{length} tokens, {how}: {path}")
