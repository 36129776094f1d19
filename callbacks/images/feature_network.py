"""The network whose features FID and KID compare, and that classifies samples."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn

from dlmodules.checkpoints.hashes import file_hash
from dlmodules.checkpoints.hparams import class_path
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.protocols import HasClasses, HasFeatures, class_count

OWN_PACKAGE = "dlmodules"
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"


@dataclass
class FeatureNetwork:
    """A frozen network in evaluation mode.

    Attributes:
        module: the network.
        read_features: images ``(B, C, H, W)`` in [0, 1] to features ``(B, F)``.
        read_logits: images to class logits ``(B, K)``; None where the network is no classifier.
        description: what to write beside a score: ``class`` and, for a file, ``sha256`` (12 digits).
    """

    module: nn.Module
    read_features: Callable[[Tensor], Tensor]
    read_logits: Callable[[Tensor], Tensor] | None
    description: dict[str, str]

    def features(self, images: Tensor) -> Tensor:
        """Return the features ``(B, F)`` of images in [0, 1].

        Raises:
            UserError: if the network does not take images of this shape.
        """
        self.module.to(images.device)
        try:
            # Scores are measured in full precision, whatever the training's.
            with torch.autocast(images.device.type, enabled=False):
                found = self.read_features(images.float())
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise UserError(
                f"the feature network {self.description['class']} does not take images"
                f" {tuple(images.shape[1:])}: {str(error).splitlines()[0]}"
            ) from error
        return found.flatten(1)

    def classes(self, images: Tensor) -> Tensor | None:
        """Return the predicted classes ``(B,)`` of images; None where the network is no classifier."""
        if self.read_logits is None:
            return None
        with torch.autocast(images.device.type, enabled=False):
            return self.read_logits(images.float()).argmax(1)

    @property
    def num_classes(self) -> int | None:
        """How many classes it tells apart; None where it is no classifier or does not say."""
        count = class_count(self.module)
        return int(count) if self.read_logits is not None and count else None


def load_feature_network(source: str | Path | nn.Module) -> FeatureNetwork:
    """Make a feature network.

    Args:
        source: the path of a checkpoint of a classifier with ``features(x)``, such as those that this
            package trains; a network, whose method ``features`` or else whose output is taken; or
            ``inception`` for the Inception-v3 of published scores, through torch-fidelity.

    Raises:
        UserError: if the file is missing, no checkpoint or of an unknown class, or Inception cannot be had.
    """
    if isinstance(source, nn.Module):
        return _from_module(source, {"class": class_path(type(source))})
    # A new network takes random first weights: those of the run must not notice.
    with isolate_rng():
        return _inception() if str(source) == "inception" else _from_checkpoint(Path(source))


def _from_module(module: nn.Module, description: dict[str, str]) -> FeatureNetwork:
    module.requires_grad_(False).eval()
    # As a submodule, such as torchvision's backbones have, it is a part of the network and does not give its features.
    if not isinstance(module, HasFeatures) or isinstance(module.features, nn.Module):
        return FeatureNetwork(module, module, None, description)
    return FeatureNetwork(module, module.features, module if isinstance(module, HasClasses) else None, description)


def _from_checkpoint(path: Path) -> FeatureNetwork:
    try:
        module = load_module(path)
    except UserError as error:
        raise UserError(f"feature_network: {error}") from error
    if not hasattr(module, "features"):  # a submodule too, which `isinstance` does not see on every Python
        raise UserError(f"{path} holds a {type(module).__name__}, which has no method `features`: give a classifier's")
    digest = file_hash(path)[:12]
    return _from_module(module, {"class": class_path(type(module)), "sha256": digest})


def _inception() -> FeatureNetwork:
    try:
        from torchmetrics.image.fid import NoTrainInceptionV3

        network = NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"])
    except ModuleNotFoundError as error:
        raise UserError("feature_network `inception` needs a package: pip install torch-fidelity") from error
    except (OSError, RuntimeError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise UserError(
            f"the Inception weights are not in {folder} and cannot be downloaded"
            f" ({str(error).splitlines()[0]}): put {INCEPTION_FILE} of torch-fidelity's release v0.2.0 there,"
            " or give a classifier's checkpoint as feature_network"
        ) from error

    def read(images: Tensor) -> Tensor:
        rgb = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        found: Tensor = network((rgb.clamp(0, 1) * 255).round().byte())
        return found

    network.requires_grad_(False)
    return FeatureNetwork(network, read, None, {"class": "Inception-v3 (torch-fidelity), 299x299, 2048 features"})
