from .base import Agent as Agent
from .networks import MLPQNetwork as MLPQNetwork
