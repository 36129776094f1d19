"""Adam with the defaults of adversarial training."""

from torch.optim import Adam
from torch.optim.optimizer import ParamsT


class AdversarialAdam(Adam):
    """Adam with its decays as two numbers: the default of an argument reaches a configuration only without tuples.

    Args:
        params: what is trained.
        lr: learning rate.
        beta1: decay of the mean gradient; 0.5 or 0 is steadier than 0.9 where two networks train against each other.
        beta2: decay of the mean squared gradient.
        eps: added to the root of the latter.
    """

    def __init__(
        self, params: ParamsT, lr: float = 2e-4, beta1: float = 0.5, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(params, lr=lr, betas=(beta1, beta2), eps=eps)
        # By these names a checkpoint asks for what the optimizer was made with.
        self.defaults.update(beta1=beta1, beta2=beta2)
