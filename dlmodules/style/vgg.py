"""VGG's convolutions, frozen: what a picture's content and style are told by."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dlmodules.errors import UserError

Pooling = Literal["max", "average"]
BLOCKS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions of each block, by the number of layers that give VGG-16 and VGG-19 their names."""
WIDTHS = (64, 128, 256, 512, 512)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
UNTRAINED, DOWNLOADED = "untrained", {"vgg16": 16, "vgg19": 19}
INPUT = re.compile(r"RGB 0\.\.255 minus \(([\d.]+), ?([\d.]+), ?([\d.]+)\)")


def layer_names(depth: int) -> list[str]:
    """Return the names of the layers of VGG-``depth``: ``relu4_2`` is the second of the fourth block."""
    return [f"relu{b}_{n}" for b, count in enumerate(BLOCKS[depth], start=1) for n in range(1, count + 1)]


class VGGFeatures(nn.Module):
    """The convolutions of VGG-16 or VGG-19, up to the last layer that is asked for; frozen.

    Paper: Simonyan & Zisserman 2014, Very Deep Convolutional Networks for Large-Scale Image Recognition.

    Args:
        layers: names of the layers that are returned, such as ``relu4_2``: after the activation.
        depth: 16 or 19.
        pooling: ``max``, as it was trained, or ``average``, by which the gradient reaches every pixel.
        mean: of each channel, red, green and blue, that images in [0, 1] lose first.
        std: of each channel, by which they are then divided.

    Raises:
        UserError: for a layer that it does not have.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        layers: Sequence[str],
        depth: int = 19,
        pooling: Pooling = "max",
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        names = layer_names(depth)
        if unknown := [layer for layer in layers if layer not in names]:
            raise UserError(f"VGG-{depth} has no layer {unknown[0]!r}; it has {', '.join(names)}")
        super().__init__()
        self.layers = list(layers)
        self.places: dict[int, str] = {}  # of the layers in the stack that are asked for
        last = max(layers, key=names.index)
        stack: list[nn.Module] = []
        channels = 3
        for name in names[: names.index(last) + 1]:
            if stack and name.endswith("_1"):
                stack.append(nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2))
            width = WIDTHS[int(name[4]) - 1]
            stack += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
            if name in layers:
                self.places[len(stack) - 1] = name
        self.smallest = 2 ** (int(last[4]) - 1)
        self.features = nn.Sequential(*stack)  # named as torchvision names them
        for buffer, values in (("mean", mean), ("std", std)):
            self.register_buffer(buffer, torch.tensor(values)[:, None, None], persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the layers that were asked for, each ``(B, C, H, W)``, by name.

        Args:
            images: ``(B, 3, H, W)``, or ``(B, 1, H, W)`` in grey; [0, 1].

        Raises:
            UserError: they are so small that nothing of them is left.
        """
        if min(images.shape[-2:]) < self.smallest:
            size = f"{images.shape[-2]}x{images.shape[-1]}"
            raise UserError(f"images of {size} are too small for {max(self.layers)}: it needs {self.smallest} pixels")
        x = (images - self.mean) / self.std
        found = {}
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in self.places:
                found[self.places[place]] = x
        return found


def load_feature_network(source: str, layers: Sequence[str], pooling: Pooling) -> VGGFeatures:
    """Return a frozen VGG.

    Args:
        source: ``vgg16`` or ``vgg19``, by torchvision's weights for ImageNet, from its cache or downloaded; the path of
            a safetensors file with such weights under torchvision's names, whose metadata ``input`` may say ``RGB
            0..255 minus (red, green, blue)``, else it is torchvision's; or ``untrained``, VGG-19 with first weights
            that are always the same.
        layers: of ``VGGFeatures``.
        pooling: likewise.

    Raises:
        UserError: the weights cannot be had, or are of another network, or it lacks a layer.
    """
    if source == UNTRAINED:
        return _untrained(layers, pooling)
    if source in DOWNLOADED:
        network = VGGFeatures(layers, DOWNLOADED[source], pooling)
        return _with_weights(network, _downloaded(source), source)
    path = Path(source).expanduser()
    weights, described = _read(path)
    depth = {sum(blocks): depth for depth, blocks in BLOCKS.items()}.get(sum(w.ndim == 4 for w in weights.values()))
    if depth is None:
        raise UserError(f"{path} has the convolutions of neither VGG-16 nor VGG-19")
    found = INPUT.fullmatch(described)
    if described and not found:
        raise UserError(f"{path} describes its input as {described!r}: only 'RGB 0..255 minus (r,g,b)' is known")
    mean = [float(level) / 255 for level in found.groups()] if found else IMAGENET_MEAN
    std = [1 / 255] * 3 if found else IMAGENET_STD
    return _with_weights(VGGFeatures(layers, depth, pooling, mean, std), weights, str(path))


def _untrained(layers: Sequence[str], pooling: Pooling) -> VGGFeatures:
    network = VGGFeatures(layers, 19, pooling)
    draw = torch.Generator().manual_seed(0)  # the weights are in no checkpoint: they must be the same each time
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=draw)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # each has a bias
    return network


def _downloaded(name: str) -> dict[str, Tensor]:
    from torchvision.models import get_model_weights

    best = next(iter(get_model_weights(name)))
    try:
        found: dict[str, Tensor] = best.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise UserError(
            f"the weights of {name} are not in {folder} and cannot be downloaded ({str(error).splitlines()[0]}): put"
            f" {best.url.rpartition('/')[2]} there, or give a safetensors file as feature_network"
        ) from error
    return {key: value for key, value in found.items() if key.startswith("features.")}


def _read(path: Path) -> tuple[dict[str, Tensor], str]:
    try:
        with safe_open(path, framework="pt") as file:
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118  # it is no mapping
            return weights, (file.metadata() or {}).get("input", "")
    except (OSError, SafetensorError) as error:
        names = ", ".join([*DOWNLOADED, UNTRAINED])
        raise UserError(f"feature_network is neither {names} nor a safetensors file: {path} ({error})") from error


def _with_weights(network: VGGFeatures, weights: dict[str, Tensor], source: str) -> VGGFeatures:
    own = network.state_dict()
    if wrong := [key for key, value in own.items() if key not in weights or weights[key].shape != value.shape]:
        raise UserError(f"{source} has no weights of VGG: its {wrong[0]} is missing or has another shape")
    network.load_state_dict({key: weights[key] for key in own})
    return network
