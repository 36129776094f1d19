"""Codes of any number of dimensions as points of a map."""

import importlib
import importlib.util
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from dlmodules.errors import UserError, install_command

Codes = npt.NDArray[np.float32]
Points = npt.NDArray[Any]
Projection = Literal["pca", "tsne", "umap"]


def require_projection(projection: str) -> None:
    """Raise UserError for a projection that is none, or whose package is missing."""
    if projection not in ("pca", "tsne", "umap"):
        raise UserError(f"projection is {projection!r}; it must be pca, tsne or umap")
    if projection == "umap" and importlib.util.find_spec("umap") is None:
        raise UserError(f"projection umap needs umap-learn: {install_command('maps')}")


def project(codes: Codes, projection: Projection = "pca") -> tuple[Points, tuple[str, str]]:
    """Show codes of more than two dimensions in two.

    Args:
        codes: ``(N, D)``, N at least 3, D more than 2.
        projection: ``pca`` keeps as much of the variance as it can; ``tsne`` (van der Maaten & Hinton 2008) and
            ``umap`` (McInnes et al. 2018) keep neighbours together, and distances mean little. Neither uses the
            global random numbers: the same codes give the same map.

    Returns:
        Points ``(N, 2)``, and the names of the two axes.
    """
    size = codes.shape[1]
    if projection == "pca":
        from sklearn.decomposition import PCA

        pca = PCA(2, svd_solver="full").fit(codes)
        explained = pca.explained_variance_ratio_
        return pca.transform(codes), (
            f"1st principal component of {size} ({explained[0]:.0%} of the variance)",
            f"2nd principal component ({explained[1]:.0%} of the variance)",
        )
    if projection == "tsne":
        from sklearn.manifold import TSNE

        # The book of the method advises a perplexity of 5 to 50; it must be less than the number of codes.
        perplexity = min(30.0, (len(codes) - 1) / 3)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(codes)
        return points, (f"t-SNE of {size} dimensions, 1st", "2nd")
    umap = importlib.import_module("umap")
    neighbours = min(15, len(codes) - 1)
    threads = torch.get_num_threads()
    try:
        # With a seed it works in one thread, and says so unless it is asked to.
        points = umap.UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1).fit_transform(codes)
    finally:
        # Its compiler sets the threads of OpenMP, which are those that the module is trained with.
        torch.set_num_threads(threads)
    return points, (f"UMAP of {size} dimensions, 1st", "2nd")
