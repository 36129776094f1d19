from .transform_network import TransformNetwork as TransformNetwork
from .vgg import VGGFeatures as VGGFeatures
