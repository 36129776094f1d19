from .book_networks import SmallUNetGenerator as SmallUNetGenerator
from .book_networks import StridedPatchDiscriminator as StridedPatchDiscriminator
from .book_networks import UpsamplingUNetGenerator as UpsamplingUNetGenerator
from .patch_discriminator import PatchDiscriminator as PatchDiscriminator
from .pool import ImagePool as ImagePool
from .resnet import ResNetGenerator as ResNetGenerator
from .unet import UNetGenerator as UNetGenerator
