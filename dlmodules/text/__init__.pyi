from .gpt import CausalTransformer as CausalTransformer
from .nplm import ConcatenatedWords as ConcatenatedWords
from .recurrent import RecurrentReader as RecurrentReader
