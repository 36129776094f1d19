"""Blocks that two or more families use."""

import lazy_loader

from dlmodules.checkpoints.moved import or_moved

find_here, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = or_moved(__name__, find_here)
