"""The least-squares GAN."""

from typing import Any

from dlmodules.gans.dcgan import DCGAN


class LSGAN(DCGAN):
    """A DCGAN with the least-squares loss: targets are 1 for real images and 0 for fake ones, without a sigmoid.

    Samples far on the correct side of the decision boundary keep a gradient, towards it. It logs what ``GAN`` logs;
    ``train/d_loss`` is 0.25 when the discriminator cannot tell real from fake.

    Paper: Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076.
    Books: atienza 5.2.1.

    Args:
        **kwargs: arguments of ``DCGAN`` other than ``loss``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(loss="least_squares", **kwargs)
