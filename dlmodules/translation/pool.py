"""A pool of images that were made before."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.validation.arguments import check_at_least


class ImagePool(nn.Module):
    """Keeps images that a generator made, and gives its discriminator some of them in place of the newest.

    So a discriminator does not forget what it has learned of older ones (Shrivastava et al. 2017). Until the pool is
    full, images are kept and given as they are. From then on each is given as it is with probability 1/2; else a random
    one of the pool is given, and takes its place there. The draws are the pool's own, and are in its state.

    Args:
        image_shape: channels, height and width of the images.
        size: images that are kept; 0 gives all as they are.
        seed: of the draws.
    """

    images: Tensor
    count: Tensor

    def __init__(self, image_shape: Sequence[int], size: int = 50, seed: int = 0) -> None:
        check_at_least(0, size=size)
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size, *image_shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self._random_state = torch.Generator().manual_seed(seed).get_state()

    @override
    def get_extra_state(self) -> Tensor:
        """Return the state of the random draws, which stays on the CPU."""
        return self._random_state

    @override
    def set_extra_state(self, state: Tensor) -> None:
        """Go on with the draws of ``state``."""
        self._random_state = state.cpu()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return as many images ``(B, C, H, W)`` as are given, newer and older ones."""
        if self.size == 0:
            return images
        generator = torch.Generator()
        generator.set_state(self._random_state)
        chosen = []
        count = int(self.count)
        for image in images:
            if count < self.size:
                self.images[count] = image
                count += 1
                chosen.append(image)
                continue
            kept, place = (
                torch.rand((), generator=generator) < 0.5,
                int(torch.randint(self.size, (), generator=generator)),
            )
            if kept:
                chosen.append(image)
            else:
                chosen.append(self.images[place].clone())
                self.images[place] = image
        self.count.fill_(count)
        self._random_state = generator.get_state()
        return torch.stack(chosen).to(images)
