"""A map of words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.media import save_figure, warn_once
from callbacks.base.plotting import PlottingCallback
from callbacks.base.projections import Codes, Projection, project, require_projection
from dlmodules.protocols import EmbedsWords
from dlmodules.validation.arguments import check_at_least

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class EmbeddingMap(PlottingCallback):
    """Plots the vectors of the most frequent words as points of a map, each with its word.

    Works with any module that embeds words (``dlmodules.protocols.EmbedsWords``). Picture: ``embedding_map``.

    Args:
        max_words: at most that many words, the most frequent after ``skip``; 3 or more.
        skip: so many of the most frequent words, such as "the", are left out.
        projection: ``pca``, the first two principal components; or ``tsne`` or ``umap``, which keep neighbours
            together. ``umap`` needs umap-learn: ``pip install ".[maps]"`` in a checkout.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.

    Raises:
        UserError: for a projection whose package is missing.
    """

    needs: ClassVar[tuple[type, ...]] = (EmbedsWords,)

    def __init__(
        self,
        max_words: int = 300,
        skip: int = 0,
        projection: Projection = "pca",
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        require_projection(projection)
        check_at_least(3, max_words=max_words)
        check_at_least(0, skip=skip)
        self.max_words = max_words
        self.skip = skip
        self.projection: Projection = projection

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, EmbedsWords)
        words, vectors = pl_module.word_vectors()
        chosen = slice(self.skip, self.skip + self.max_words)
        shown, points = words[chosen], vectors[chosen]
        finite = points.isfinite().all(1)
        if finite.sum() < 3:
            warn_once(self, f"EmbeddingMap plotted nothing: {int(finite.sum())} words have vectors, 3 are needed.")
            return
        kept = [word for word, whole in zip(shown, finite.tolist(), strict=True) if whole]
        save_figure(trainer, "embedding_map", map_figure(kept, points[finite].numpy(), self.projection))


def map_figure(words: Sequence[str], vectors: Codes, projection: Projection = "pca") -> "Figure":
    """Plot ``words`` where ``projection`` puts their vectors ``(N, D)``."""
    from matplotlib.figure import Figure

    points, names = project(vectors, projection) if vectors.shape[1] > 2 else (vectors, ("v[0]", "v[1]"))
    figure = Figure(figsize=(9, 9), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(points[:, 0], points[:, 1], s=4, color="tab:blue", linewidths=0)
    for word, (x, y) in zip(words, points.tolist(), strict=True):
        axes.annotate(word, (x, y), fontsize=7, xytext=(2, 1), textcoords="offset points")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(f"Vectors of {len(words)} words", fontsize=11)
    axes.grid(alpha=0.25)
    return figure
