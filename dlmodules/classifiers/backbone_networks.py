"""Image networks of torchvision and timm with a new last layer."""

from typing import Any

from torch import nn

from dlmodules.errors import UserError, install_command

TIMM = "timm/"


def make_backbone(name: str, num_classes: int, pretrained: bool) -> tuple[nn.Module, str]:
    """Build a network by name and return it with the name of its last layer, which has ``num_classes`` outputs.

    Raises:
        UserError: for an unknown name, a missing library, or weights that are neither cached nor to be had.
    """
    build = _from_timm if name.startswith(TIMM) else _from_torchvision
    try:
        return build(name.removeprefix(TIMM), num_classes, pretrained)
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise UserError(
            f"the weights of {name} are not in the library's cache and cannot be downloaded"
            f" ({str(error).splitlines()[0]}): connect once, or set --model.pretrained false"
        ) from error


def _from_torchvision(name: str, num_classes: int, pretrained: bool) -> tuple[nn.Module, str]:
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UserError(
            f"torchvision has no network {name!r}: see torchvision.models.list_models(); timm's are written timm/{name}"
        )
    # Their default first weights take minutes to draw by scipy; torchvision itself is leaving them.
    fast: dict[str, Any] = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if not pretrained:
        network = models.get_model(name, weights=None, num_classes=num_classes, **fast)
        return network, _last_linear(network, name)
    network = models.get_model(name, weights="DEFAULT")
    head = _last_linear(network, name)
    parent, _, child = head.rpartition(".")
    features = network.get_submodule(head).in_features
    assert isinstance(features, int)
    network.get_submodule(parent).register_module(child, nn.Linear(features, num_classes))
    return network, head


def _last_linear(network: nn.Module, name: str) -> str:
    heads = [
        path for path, layer in network.named_modules() if isinstance(layer, nn.Linear) and "aux" not in path.lower()
    ]
    if not heads:
        raise UserError(f"{name} does not end in a linear layer: choose a classifier")
    return str(heads[-1])


def _from_timm(name: str, num_classes: int, pretrained: bool) -> tuple[nn.Module, str]:
    try:
        import timm
    except ModuleNotFoundError as error:
        raise UserError(f"backbones of timm need a package: {install_command('backbones')}") from error
    if name not in timm.list_models():
        raise UserError(f"timm has no network {name!r}: see timm.list_models()")
    network = timm.create_model(name, pretrained=pretrained, num_classes=num_classes)
    classifier: str | tuple[str, ...] = getattr(network, "pretrained_cfg", {})["classifier"]
    return network, classifier if isinstance(classifier, str) else classifier[0]
