"""What adversarial systems share: the training module, losses, terms of losses, penalties, optimizers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
