from .gpt import CausalTransformer as CausalTransformer
from .recurrent import RecurrentReader as RecurrentReader
