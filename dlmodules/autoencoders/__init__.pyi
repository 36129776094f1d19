from .networks import ConvDecoder as ConvDecoder
from .networks import ConvEncoder as ConvEncoder
from .networks import MLPCoder as MLPCoder
