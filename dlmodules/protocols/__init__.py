"""What a callback or a command may ask of a module, and nothing else; one file for each medium.

A module has those of these methods that make sense for it; a caller checks with ``isinstance``.
Images are ``(B, C, H, W)`` float32 in [0, 1], whatever range the networks use inside. A conditional module
(``conditional`` is true) takes the labels ``(B,)`` as a second argument of ``encode``, ``decode`` and ``reconstruct``.
"""

from dlmodules.protocols.actions import Acts
from dlmodules.protocols.adversaries import DifferentiatesTwice, Discriminates, HasAdversaries
from dlmodules.protocols.batch import Batch
from dlmodules.protocols.classifiers import Classifies, HasInputShape, ShowsFilters, Weighs
from dlmodules.protocols.codes import BoundsCodes, Decodes, Encodes, Traverses
from dlmodules.protocols.images import Corrupts, Reconstructs, Samples
from dlmodules.protocols.rows import SamplesRows
from dlmodules.protocols.tokenizer import PAD, Tokenizer

__all__ = [
    "PAD",
    "Acts",
    "Batch",
    "BoundsCodes",
    "Classifies",
    "Corrupts",
    "Decodes",
    "DifferentiatesTwice",
    "Discriminates",
    "Encodes",
    "HasAdversaries",
    "HasInputShape",
    "Reconstructs",
    "Samples",
    "SamplesRows",
    "ShowsFilters",
    "Tokenizer",
    "Traverses",
    "Weighs",
]
