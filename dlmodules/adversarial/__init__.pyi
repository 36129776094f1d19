from .module import AdversarialModule as AdversarialModule
from .optimizers import AdversarialAdam as AdversarialAdam
