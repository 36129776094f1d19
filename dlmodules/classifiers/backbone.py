"""Any image network of torchvision or timm by name, from scratch or pretrained, frozen or unfrozen in stages."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.classifiers.backbone_networks import make_backbone
from dlmodules.classifiers.classifier import Classifier
from dlmodules.classifiers.standardize import IMAGENET_MEAN, IMAGENET_STD, Standardize
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.validation.arguments import check_at_least_one


class Backbone(nn.Module):
    """Resize, standardize, then a network of a library with a new last layer."""

    def __init__(
        self,
        name: str,
        num_classes: int,
        pretrained: bool,
        image_size: int | None,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.standardize = Standardize(mean, std)
        self.body, self.head_name = make_backbone(name, num_classes, pretrained)

    @property
    def head(self) -> nn.Module:
        """The last layer, the only one that is not pretrained."""
        return self.body.get_submodule(self.head_name)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` in [0, 1] to logits ``(B, num_classes)``."""
        if x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)
        if self.image_size is not None and x.shape[-2:] != (self.image_size, self.image_size):
            x = F.interpolate(x, (self.image_size, self.image_size), mode="bilinear", antialias=True)
        out = self.body(self.standardize(x))
        # In training, Inception and GoogLeNet return further logits beside these.
        logits: Tensor = out if isinstance(out, Tensor) else out[0]
        return logits


def check_reads(network: Backbone, input_shape: Sequence[int], name: str) -> None:
    """Raise UserError where ``network``, the library's ``name``, cannot read images ``input_shape``.

    Each network has its own smallest image, or takes one size alone, and no list in the libraries says so: one
    image shows it.
    """
    network.eval()
    try:
        with torch.no_grad():
            network(torch.zeros(1, *input_shape))
    except (RuntimeError, AssertionError, ValueError) as error:
        height, width = network.image_size or input_shape[1], network.image_size or input_shape[2]
        raise UserError(
            f"{name} cannot read images of {height}x{width} ({str(error).splitlines()[0]}): set image_size, to 224 for"
            " instance"
        ) from error
    network.train()


class BackboneClassifier(Classifier):
    """Train ResNet-18, or any other image network of torchvision or timm, on new classes.

    With ``frozen`` only the new last layer learns, and the others' batch norms keep their running statistics (the
    book lets them drift). With ``unfreeze_every`` the others follow, one group every so many epochs, the last first.

    Paper: He, Zhang, Ren & Sun 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385; Yosinski, Clune,
    Bengio & Lipson 2014, How transferable are features in deep neural networks?, arXiv:1411.1792.
    Books: vasilev 5.1, vasilev 5.2, vasilev 5.3, vasilev 5.4, vasilev 5.5, vasilev 5.6, vasilev 5.7, vasilev 5.8,
    vasilev 5.9.

    Args:
        input_shape: channels (1 or 3), height and width of the images, in [0, 1].
        num_classes: number of classes.
        backbone: a name of ``torchvision.models.list_models()``, or ``timm/`` and one of ``timm.list_models()``.
        pretrained: start from the library's weights for ImageNet, from its cache or a download.
        image_size: height and width to which images are resized in the network; None leaves them.
        frozen: keep all but the last layer as it is.
        unfreeze_every: epochs after which each next group of frozen layers begins to learn; None keeps them frozen.
        mean: subtracted from each channel; ImageNet's by default.
        std: each channel is divided by it.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``Classifier``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "backbone": "regnet_y_400mf",
        "pretrained": False,
        "image_size": 32,
    }

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        backbone: str = "resnet18",
        pretrained: bool = False,
        image_size: int | None = None,
        frozen: bool = False,
        unfreeze_every: int | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        **kwargs: Any,
    ) -> None:
        if unfreeze_every is not None and (unfreeze_every < 1 or not frozen):
            raise UserError("unfreeze_every needs frozen: true, and a number of epochs of 1 or more")
        if input_shape[0] not in (1, 3):
            raise UserError(f"the images have {input_shape[0]} channels; {type(self).__name__} reads 1 or 3")
        if image_size is not None:
            check_at_least_one(image_size=image_size)
        network = Backbone(backbone, num_classes, pretrained, image_size, mean, std)
        check_reads(network, input_shape, backbone)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
        # A checkpoint has all weights: a module that is rebuilt from it must not ask for the library's.
        self.hparams["pretrained"] = False
        self.frozen, self.unfreeze_every = frozen, unfreeze_every
        self.set_trainable(0)
        use_channels_last(self)

    def groups(self) -> list[nn.Module]:
        """Return the groups of layers in the order in which they begin to learn: the last layer, then upwards."""
        assert isinstance(self.network, Backbone)
        body, head = self.network.body, self.network.head
        blocks = [
            part for child in body.children() for part in (child if isinstance(child, nn.Sequential) else [child])
        ]
        inner = [block for block in blocks if block is not head and any(True for _ in block.parameters())]
        return [head, *reversed(inner)]

    def set_trainable(self, epoch: int) -> None:
        """Freeze and unfreeze what is due in ``epoch``. Nothing else decides it, so a resumed run does the same."""
        if not self.frozen:
            return
        groups = self.groups()
        learning = 1 if self.unfreeze_every is None else 1 + epoch // self.unfreeze_every
        for parameter in self.network.parameters():
            parameter.requires_grad = False
        for group in groups[:learning]:
            group.requires_grad_(True).train()
        for group in groups[learning:]:
            group.eval()

    @override
    def on_train_epoch_start(self) -> None:
        self.set_trainable(self.current_epoch)

    @override
    def on_fit_start(self) -> None:
        if self.unfreeze_every is not None and self.trainer.world_size > 1:
            raise UserError("unfreeze_every needs one process: several agree once, at the start, on what learns")
