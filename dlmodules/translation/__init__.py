"""Image translation: images of one domain as those of another, by pairs of networks that train against each other."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
