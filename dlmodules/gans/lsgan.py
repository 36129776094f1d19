"""The least-squares GAN."""

from typing import Any

from dlmodules.gans.dcgan import DCGAN


class LSGAN(DCGAN):
    """A DCGAN whose discriminator draws real images to 1 and fake ones to 0 by squares, and has no sigmoid.

    Samples far on the right side of the border keep a gradient, towards it. It logs what ``GAN`` logs; ``train/d_loss``
    is 0.25 when the discriminator knows nothing.

    Paper: Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076.
    Books: atienza 5.2.1.

    Args:
        **kwargs: arguments of ``DCGAN`` other than ``loss``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(loss="least_squares", **kwargs)
