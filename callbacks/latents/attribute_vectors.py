"""Attributes as directions in a latent space, and images that are moved along them."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import override

from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import codes_of, images_of, undisturbed
from callbacks.base.media import run_folder, save_image, warn_once, write_file
from callbacks.base.names import known_attribute_names, known_class_names
from callbacks.latents.attribute_file import ATTRIBUTE_FILE, AttributeFile
from callbacks.latents.attributes import Method, attribute_table, attribute_vectors
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Encodes

FILE_PREFIXES: dict[TrainerFn | None, str] = {TrainerFn.VALIDATING: "val_", TrainerFn.TESTING: "test_"}


class AttributeVectors(ImagePlottingCallback):
    """Measures which way each attribute lies in the latent space, and plots images that are moved that way.

    The vector of an attribute is what tells the codes of validation images with it from the codes of those without
    it. Added to the code of an image, it gives the image the attribute; subtracted, it takes it away. Attributes are
    labels ``(B, A)`` of 0 and 1, named by the data module's ``attribute_names``; of labels ``(B,)`` each class is one.
    Works with any module that has ``encode`` and ``decode``. Of a conditional module an image keeps its class.

    Picture: ``attribute_arithmetic``, a row for each attribute, in which each image stands once for each strength;
    with ``test/`` before it for the test set. The run folder gets ``attribute_vectors.npz`` with ``names (A,)``,
    ``vectors (A, D)``, and ``mean (D,)`` and ``std (D,)`` of the codes. ``validate`` and ``test`` leave the training's
    file as it is and write ``val_attribute_vectors.npz`` and ``test_attribute_vectors.npz``.

    Args:
        examples: how many images are moved, the first ones of the set; the vectors are measured on the others.
        strengths: how many times the vector is added to an image's code.
        attributes: names of the rows, in their order; all where None. The file has all in any case. What no image
            has, or every image, has no vector, and is left out of both.
        method: ``difference`` of the mean codes with and without an attribute, or ``least_squares`` over all
            attributes at once, which tells apart those that come together. For classes they are the same.
        max_points: at most that many images to measure the vectors on.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.

    Raises:
        UserError: for an attribute that the data module does not name.
    """

    needs: ClassVar[tuple[type, ...]] = (Encodes, Decodes)

    def __init__(
        self,
        examples: int = 3,
        strengths: Sequence[float] = (-2.0, -1.0, 0.0, 1.0, 2.0),
        attributes: Sequence[str] | None = None,
        method: Method = "difference",
        max_points: int = 5000,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(examples + max_points, every_n_epochs, every_n_steps)
        if examples < 1 or max_points < 2 or not strengths:
            raise UserError(
                "AttributeVectors: examples must be 1 or more, max_points 2 or more, and strengths not empty"
            )
        if method not in ("difference", "least_squares"):
            raise UserError(f"AttributeVectors: method is {method!r}; it must be difference or least_squares")
        self.examples = examples
        self.strengths = tuple(strengths)
        self.attributes = attributes
        self.method: Method = method
        self.max_points = max_points

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without codes, and attributes that the data module has not."""
        super().setup(trainer, pl_module, stage)
        known = known_attribute_names(trainer) or known_class_names(trainer)
        if known and (unknown := [name for name in self.attributes or () if name not in known]):
            raise UserError(
                f"AttributeVectors: the data module has no attribute {unknown[0]!r}; it has {', '.join(known)}"
            )

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        if labels is None or len(images) < self.examples + 2:
            missing = "the images have no labels" if labels is None else "there are too few images"
            warn_once(self, f"AttributeVectors plotted nothing: {missing}.")
            return
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels)
            measured = codes[self.examples :].cpu()
            if not measured.isfinite().all():
                warn_once(self, "AttributeVectors plotted nothing: the codes are not finite numbers.")
                return
            found = self._measure(trainer, measured, labels[self.examples :])
            names = [name for name in self.attributes or found.names if name in found.names]
            if not names:
                warn_once(
                    self, "AttributeVectors plotted nothing: no attribute is there in some images but not in all."
                )
                return
            vectors = torch.from_numpy(found.vectors)[[found.names.index(name) for name in names]].to(codes.device)
            rows = self._moved(trainer, pl_module, codes[: self.examples], vectors, labels[: self.examples])
        if trainer.is_global_zero:
            path = run_folder(trainer) / f"{FILE_PREFIXES.get(trainer.state.fn, '')}{ATTRIBUTE_FILE}"
            write_file(trainer, path, found.save)
        save_image(
            trainer,
            f"{self.prefix}attribute_arithmetic",
            image_grid(rows, len(rows) // len(names), row_labels=names),
            caption=f"strengths {', '.join(f'{strength:g}' for strength in self.strengths)}",
        )

    def _measure(self, trainer: Trainer, codes: Tensor, labels: Tensor) -> AttributeFile:
        names, table = attribute_table(trainer, labels)
        # Classes exclude each other: none can be held while another changes.
        vectors = attribute_vectors(codes, table, self.method if labels.ndim == 2 else "difference")
        kept = vectors.isfinite().all(dim=1)
        return AttributeFile(
            tuple(name for name, keep in zip(names, kept.tolist(), strict=True) if keep),
            vectors[kept].numpy(),
            codes.mean(dim=0).numpy(),
            codes.std(dim=0, correction=0).numpy(),
        )

    def _moved(
        self, trainer: Trainer, pl_module: LightningModule, codes: Tensor, vectors: Tensor, labels: Tensor
    ) -> Tensor:
        """Tiles of the picture: each row an attribute, in it the images, each at all strengths, and white between."""
        strengths = torch.tensor(self.strengths, device=codes.device)
        steps = strengths[:, None] * vectors[:, None, None, :]  # (A, 1, S, D)
        moved = codes[None, :, None, :] + steps  # (A, N, S, D)
        kept = labels.repeat_interleave(len(strengths), dim=0).repeat(len(vectors), *[1] * (labels.ndim - 1))
        decoded = images_of(trainer, pl_module, moved.flatten(0, 2), kept)
        tiles = decoded.view(*moved.shape[:3], *decoded.shape[1:])
        gap = tiles.new_ones(len(vectors), len(codes), 1, *tiles.shape[3:])
        return torch.cat([tiles, gap], dim=2).flatten(1, 2)[:, :-1].flatten(0, 1)
