from .gpt import CausalTransformer as CausalTransformer
from .nplm import ConcatenatedWords as ConcatenatedWords
from .pointer_network import PointerDecoder as PointerDecoder
from .question_network import QuestionNetwork as QuestionNetwork
from .recurrent import RecurrentReader as RecurrentReader
from .seq2seq import RecurrentEncoderDecoder as RecurrentEncoderDecoder
from .transformer import TransformerEncoderDecoder as TransformerEncoderDecoder
