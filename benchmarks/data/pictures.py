"""Photographs, paintings and the weights of VGG-16 in the data folder."""

import os
from pathlib import Path

from dlmodules.errors import UserError

PHOTOS, PAINTINGS = Path("vision/photos"), Path("vision/paintings")
CONTENT, STYLE = (
    PHOTOS / "chateaudeChenonceau.jpg",
    PAINTINGS / ("katsushika_hokusai_the_great_wave_off_kanagawa_1823_1829.jpg"),
)
WEIGHTS = Path("weights/vgg16_features_hed_fp16.safetensors")


def found(path: Path) -> str:
    """Return where ``path`` lies in the data folder. Raises UserError where it is not there."""
    root = Path(os.environ.get("DLMODULES_DATA", ""))
    if not (root / path).exists():
        raise UserError(f"there is no {path} in the folder of data; set DLMODULES_DATA to where it lies")
    return str(root / path)
