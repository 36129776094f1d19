"""Plots, metrics, checkpoints and exact resume, for any module.

A callback knows of a module only the methods in ``dlmodules.protocols``. The public names stand in
``__init__.pyi``; each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
