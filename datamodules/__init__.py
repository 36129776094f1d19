"""LightningDataModules and the datasets they own; no model code.

The public names stand in ``__init__.pyi``; each is imported when it is first used. A data module
becomes public, and enters the command line, by its line there.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
