from .distances import discriminator_loss as discriminator_loss
from .distances import earth_movers_distance as earth_movers_distance
from .distances import js_divergence as js_divergence
from .distances import kl_divergence as kl_divergence
from .distances import optimal_discriminator as optimal_discriminator
from .distances import optimal_discriminator_loss as optimal_discriminator_loss
from .module import AdversarialModule as AdversarialModule
from .optimizers import AdversarialAdam as AdversarialAdam
