"""XQuAD's English questions, in SQuAD's form, and GloVe's vectors of 50 numbers."""

import os
from pathlib import Path

from benchmarks.context import Context
from dlmodules.errors import UserError

QUESTIONS, VECTORS = Path("qa/xquad.en.json.gz"), Path("vectors/glove.6B.50d.first40k.txt.gz")


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name both. Raises UserError where one is not there."""
    root = Path(os.environ.get("DLMODULES_DATA", ""))
    for file in (QUESTIONS, VECTORS):
        if not (root / file).is_file():
            raise UserError(f"there is no {file} in the folder of data; set DLMODULES_DATA to where it lies")
    return [
        *("--data", "datamodules.QuestionFilesDataModule", "--data.init_args.file", str(root / QUESTIONS)),
        *("--model.init_args.vectors", str(root / VECTORS), "--model.init_args.embedding_dim", "50"),
    ]
