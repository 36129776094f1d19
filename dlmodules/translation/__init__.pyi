from .patch_discriminator import PatchDiscriminator as PatchDiscriminator
from .unet import UNetGenerator as UNetGenerator
