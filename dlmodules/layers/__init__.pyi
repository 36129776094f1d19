from .augmentation import RandomAffineAndFlip as RandomAffineAndFlip
from .augmentation import RandomShiftAndFlip as RandomShiftAndFlip
from .linear import Linear as Linear
from .mlp import MLP as MLP
from .rbm import BinaryRBM as BinaryRBM
from .same_padding import SameConv2d as SameConv2d
from .same_padding import SameConvTranspose2d as SameConvTranspose2d
