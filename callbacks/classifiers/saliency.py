"""Saliency maps: the parts of an image that support its predicted class."""

import importlib.util
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from callbacks.base.captions import captioned_grid, displayable
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from callbacks.base.names import class_names
from callbacks.base.overlays import above_maps
from callbacks.classifiers.predictions import class_probabilities, require_classifier
from dlmodules.errors import UserError, install_command


class Saliency(ImagePlottingCallback):
    """Plots validation images, and below each where the network finds the class that it predicts.

    A network with convolutions is shown by Grad-CAM (Selvaraju et al. 2017) of its last convolution with maps of
    more than one place; any other one by the magnitude of the gradient of the class's logit (Simonyan et al.
    2013). The brighter, the more a place speaks for the class; each image has its own scale, and one in which
    nothing speaks for it stays dark. Works with any classifier (``dlmodules.protocols.Classifies``) and needs
    captum: ``pip install ".[explain]"`` in a checkout. Picture: ``saliency``, and ``test/saliency`` of the test set.

    Args:
        num: how many images, the first of the set.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        layer: dotted name of the layer for Grad-CAM, such as ``network.features.3``; found by itself where None.
        columns: images in a row.
    """

    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, num: int = 8, every_n_epochs: int = 1, layer: str | None = None, columns: int = 8) -> None:
        super().__init__(num, every_n_epochs)
        if columns < 1:
            raise UserError(f"Saliency: columns must be 1 or more, not {columns}")
        if importlib.util.find_spec("captum") is None:
            raise UserError(f"Saliency needs captum: {install_command('explain')}")
        self.layer = layer
        self.columns = columns
        self.num_classes = 0

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that is no classifier, or has no such layer."""
        self.num_classes = require_classifier(self, pl_module)
        if not any(True for _ in pl_module.parameters()):
            raise UserError(f"Saliency follows gradients through a network; {type(pl_module).__name__} has no weights")
        if self.layer is not None:
            named_layer(pl_module, self.layer)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A validation runs in inference mode, whose tensors cannot have gradients.
        # On a GPU, cuDNN has no gradient of a recurrent network in evaluation mode; torch's own kernels have.
        gradients = torch.inference_mode(False), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False)
        with undisturbed(trainer, pl_module), gradients[0], gradients[1], gradients[2]:
            caught, labels = self.images(pl_module)
            images = trainer.precision_plugin.convert_input(caught.clone())
            maps, logits = saliency_maps(pl_module, images, self.layer)
        if not trainer.is_global_zero:
            return
        names = class_names(trainer, self.num_classes)
        labels = labels if labels is not None and labels.ndim == 1 else None  # attributes are no class to be predicted
        probabilities, predicted = class_probabilities(pl_module, logits.float()).max(dim=1)
        captions = []
        for index, (guess, probability) in enumerate(zip(predicted.tolist(), probabilities.tolist(), strict=True)):
            read = f"{names[guess]} ({probability:.0%})"
            right = labels is None or int(labels[index]) == guess
            captions.append(read if right else f"{names[int(labels[index])]}, read as\n{read}")  # type: ignore[index]  # not right
        picture = captioned_grid(above_maps(displayable(images).cpu(), maps.cpu()), captions, self.columns)
        save_image(trainer, f"{self.prefix}saliency", picture, caption=f"epoch {trainer.current_epoch}")


def named_layer(module: nn.Module, name: str) -> nn.Module:
    """Return the submodule of a dotted name; a UserError names some where there is none."""
    layers: dict[str, nn.Module] = dict(module.named_modules())
    if name not in layers or not name:
        known = ", ".join(name for name, part in layers.items() if isinstance(part, nn.Conv2d)) or "none"
        raise UserError(f"Saliency: there is no layer {name!r}; the convolutions are: {known}")
    return layers[name]


def saliency_maps(module: nn.Module, images: Tensor, layer: str | None = None) -> tuple[Tensor, Tensor]:
    """Show what speaks for the class that ``module`` predicts for each image.

    Args:
        module: a classifier in evaluation mode; its parameters get no gradients.
        images: ``(B, C, H, W)``.
        layer: dotted name of the layer for Grad-CAM; by default the last convolution with maps of more than one
            place, and the gradient of the pixels where there is none.

    Returns:
        Maps ``(B, 1, H, W)``, zero or more, on no common scale; and the logits ``(B, K)``.
    """
    from captum.attr import LayerAttribution, LayerGradCam
    from captum.attr import Saliency as InputGradient

    logits, last = _run(module, images)
    target = logits.argmax(dim=1)
    chosen = last if layer is None else named_layer(module, layer)
    images = images.detach().requires_grad_()  # so that a frozen network has gradients too
    if chosen is None:
        found: Tensor = InputGradient(module).attribute(images, target=target)
        return found.detach().float().amax(dim=1, keepdim=True), logits
    maps: Any = LayerGradCam(module, chosen).attribute(images, target=target, relu_attributions=True)
    if not isinstance(maps, Tensor) or maps.ndim != 4:
        raise UserError(f"Saliency: layer {layer!r} makes no maps (B, C, H, W); name a convolution")
    maps = LayerAttribution.interpolate(maps.detach().float(), tuple(images.shape[-2:]), "bilinear")
    assert isinstance(maps, Tensor)
    return maps, logits


def _run(module: nn.Module, images: Tensor) -> tuple[Tensor, nn.Module | None]:
    """Return the logits, and the last convolution on the way to them whose maps have more than one place.

    The order is that of the calls. A convolution of single places, as in squeeze-and-excitation, says nothing of where.
    """
    last: list[nn.Module] = []

    def remember(layer: nn.Module, args: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[-2] * output.shape[-1] > 1:
            last.append(layer)

    hooks = [part.register_forward_hook(remember) for part in module.modules() if isinstance(part, nn.Conv2d)]
    try:
        with torch.no_grad():
            logits: Tensor = module(images)
    finally:
        for hook in hooks:
            hook.remove()
    return logits, last[-1] if last else None
