from .cvae import ConditionalDecoder as ConditionalDecoder
from .cvae import ConditionalEncoder as ConditionalEncoder
from .networks import ConvDecoder as ConvDecoder
from .networks import ConvEncoder as ConvEncoder
from .networks import MLPDecoder as MLPDecoder
from .networks import MLPEncoder as MLPEncoder
from .stack_networks import StackDecoder as StackDecoder
from .stack_networks import StackEncoder as StackEncoder
