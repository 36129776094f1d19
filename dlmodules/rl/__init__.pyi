from .base import Agent as Agent
from .networks import CartPoleQNetwork as CartPoleQNetwork
from .networks import CategoricalQNetwork as CategoricalQNetwork
from .networks import DuelingQNetwork as DuelingQNetwork
from .networks import LayerNormQNetwork as LayerNormQNetwork
from .networks import MLPQNetwork as MLPQNetwork
from .networks import NoisyQNetwork as NoisyQNetwork
from .networks import RainbowQNetwork as RainbowQNetwork
