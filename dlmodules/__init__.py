"""Lightning modules of the systems in three deep-learning books, and the networks they train.

The public names stand in ``__init__.pyi``; each is imported when it is first used, so that
``import dlmodules`` costs nothing. A class becomes public, and enters the command line, the
listing and the tests of all systems, by its line there.
"""

import lazy_loader

from dlmodules.checkpoints.moved import find_moved

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
find_moved()
