"""Matrix capsules: a 4x4 pose and an activation each, found by EM routing; and the spread loss."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.sampling.labels import one_hot

POSE = 16  # numbers of a pose, a 4x4 matrix


def spread_loss(activations: Tensor, y: Tensor, margin: float) -> Tensor:
    """Penalize activations that come within ``margin`` of the true class's.

    ``activations`` is ``(B, K)`` in [0, 1], ``y`` ``(B,)`` int64. The squares of what is missing to the
    margin are summed over the wrong classes and averaged over the batch.
    """
    true = one_hot(y, activations.shape[1], activations.dtype)
    gap = (activations * true).sum(dim=1, keepdim=True) - activations
    return (F.relu(margin - gap).square() * (1 - true)).sum(dim=1).mean()


def inverse_temperature(iteration: int, final: float) -> float:
    """Return how sharply an activation depends on its cost in the given iteration, counted from 0.

    It grows towards ``final``. The paper leaves it open; the form is its authors', from the review of the paper.
    """
    return final * (1 - 0.95 ** (iteration + 1))


def fit_gaussians(votes: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """M-step: fit one axis-aligned Gaussian for each upper capsule to the votes that it is assigned.

    Args:
        votes: ``(B, L, W, I, J, H)``.
        weights: ``(B, L, W, I, J)``, the fraction of a lower capsule that is assigned, times its activation.

    Returns:
        Mean ``(B, L, J, H)``, variance of the same shape, the squared distances ``(B, L, W, I, J, H)`` of the votes
        from the mean, and the assigned mass ``(B, L, J)``.
    """
    mass = weights.sum(dim=(2, 3))
    fraction = weights / (mass + 1e-8)[:, :, None, None]
    mean = torch.einsum("blwij,blwijh->bljh", fraction, votes)
    squared = (votes - mean[:, :, None, None]).square()
    # Votes that agree exactly would have no variance, and a density without bound.
    variance = torch.einsum("blwij,blwijh->bljh", fraction, squared) + 1e-4
    return mean, variance, squared, mass


def responsibilities(squared: Tensor, variance: Tensor, log_activation: Tensor, siblings: Tensor) -> Tensor:
    """E-step: assign each lower capsule to **all** upper capsules that it votes for, at any place of the map.

    Args:
        squared: ``(B, L, W, I, J, H)``, the squared distances of votes from the upper capsules' means.
        variance: ``(B, L, J, H)``.
        log_activation: ``(B, L, J)``.
        siblings: see ``Windows``.

    Returns:
        Fractions ``(B, L, W, I, J)``, which add up to 1 over the upper capsules of one lower capsule.
    """
    log_density = -0.5 * (squared / variance[:, :, None, None]).sum(dim=5)
    log_scale = -0.5 * (2 * math.pi * variance).log().sum(dim=3)
    logits = (log_density + (log_scale + log_activation)[:, :, None, None]).flatten(1, 2)  # (B, E, I, J)
    # A sum over the upper kinds of each window, then over the windows which the same lower capsule is in.
    windows = F.pad(logits.logsumexp(dim=3), (0, 0, 0, 1), value=-torch.inf)
    total = take(windows, siblings).logsumexp(dim=2)
    return (logits - total.unsqueeze(3)).exp().view(squared.shape[:5])


def take(x: Tensor, rows: Tensor) -> Tensor:
    """Return ``x[:, rows]``, whose gradient adds up in the same order however many threads there are."""
    return x.index_select(1, rows.flatten()).view(-1, *rows.shape, *x.shape[2:])


class Windows(nn.Module):
    """The windows of a map of capsules, and which places of different windows are the same capsule.

    With L windows of W places there are E = L * W places. ``cells`` ``(L, W)`` says which cell of the map a
    place is; ``siblings`` ``(E, P)`` lists for every place all places of the same cell, filled up with E.
    """

    cells: Tensor
    siblings: Tensor

    def __init__(self, height: int, width: int, kernel_size: tuple[int, int], stride: int) -> None:
        super().__init__()
        grid = torch.arange(height * width).view(height, width)
        windows = grid.unfold(0, kernel_size[0], stride).unfold(1, kernel_size[1], stride)
        self.height, self.width = windows.shape[:2]
        cells = windows.flatten(0, 1).flatten(1)
        places: dict[int, list[int]] = {}
        for place, cell in enumerate(cells.flatten().tolist()):
            places.setdefault(cell, []).append(place)
        most = max(map(len, places.values()))
        rows = [places[cell] + [cells.numel()] * (most - len(places[cell])) for cell in cells.flatten().tolist()]
        self.register_buffer("cells", cells, persistent=False)
        self.register_buffer("siblings", torch.tensor(rows), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, cells, ...)`` to ``(B, L, W, ...)``."""
        return take(x, self.cells)


class EMRouting(nn.Module):
    """Expectation-maximisation between the capsules of two layers; its two learned costs are ``beta_u`` and ``beta_a``.

    An upper capsule is active where describing the votes by its Gaussian costs less than leaving them alone
    (``beta_u`` for each number of each vote) and than being active (``beta_a``).
    """

    def __init__(self, upper: int, iterations: int, windows: Windows, sharpness: float = 0.01) -> None:
        super().__init__()
        self.iterations = iterations
        self.sharpness = sharpness
        self.windows = windows
        self.beta_u = nn.Parameter(torch.zeros(upper))
        self.beta_a = nn.Parameter(torch.zeros(upper))

    def forward(self, votes: Tensor, activations: Tensor) -> tuple[Tensor, Tensor]:
        """Find poses ``(B, L, J, 16)`` and activations ``(B, L, J)`` in [0, 1].

        Args:
            votes: ``(B, L, W, I, J, 16)``, the pose that each lower capsule of a window predicts for each upper one.
            activations: of the lower capsules, ``(B, L, W, I)`` in [0, 1].
        """
        edges = votes.shape[1] * votes.shape[2]
        parents = (self.windows.siblings < edges).sum(dim=1).view(votes.shape[1:3]) * votes.shape[4]
        assigned = (1.0 / parents)[None, :, :, None, None].to(votes.dtype)
        for iteration in range(self.iterations):
            weights = assigned * activations.unsqueeze(4)
            weights = weights.expand(-1, -1, -1, -1, votes.shape[4])
            mean, variance, squared, mass = fit_gaussians(votes, weights)
            cost = (self.beta_u.unsqueeze(1) + 0.5 * variance.log()).sum(dim=3) * mass
            logits = inverse_temperature(iteration, self.sharpness) * (self.beta_a - cost)
            if iteration < self.iterations - 1:
                assigned = responsibilities(squared, variance, F.logsigmoid(logits), self.windows.siblings)
        return mean, logits.sigmoid()


class PrimaryMatrixCapsules(nn.Module):
    """Two 1x1 convolutions: every place of the map gives ``capsules`` poses and activations."""

    def __init__(self, channels: int, capsules: int) -> None:
        super().__init__()
        self.pose = nn.Conv2d(channels, capsules * POSE, 1)
        self.activation = nn.Conv2d(channels, capsules, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(B, channels, H, W)`` to poses ``(B, H * W, capsules, 16)`` and as many activations."""
        poses = self.pose(x).flatten(2).transpose(1, 2).unflatten(2, (-1, POSE))
        return poses, self.activation(x).flatten(2).transpose(1, 2).sigmoid()


class MatrixCapsules(nn.Module):
    """A convolution of capsules: a matrix for each place of a window and each pair of lower and upper kind."""

    def __init__(
        self,
        height: int,
        width: int,
        lower: int,
        upper: int,
        iterations: int,
        sharpness: float = 0.01,
        kernel_size: int = 3,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.windows = Windows(height, width, (kernel_size, kernel_size), stride)
        self.height, self.width = self.windows.height, self.windows.width
        self.weight = nn.Parameter(_matrices(kernel_size**2, lower, upper))
        self.routing = EMRouting(upper, iterations, self.windows, sharpness)

    def forward(self, poses: Tensor, activations: Tensor) -> tuple[Tensor, Tensor]:
        """Map poses ``(B, H * W, lower, 16)`` to ``(B, H' * W', upper, 16)``, and activations likewise."""
        poses = self.windows(poses).unflatten(4, (4, 4))
        votes = torch.einsum("blwimn,wijno->blwijmo", poses, self.weight).flatten(5)
        routed: tuple[Tensor, Tensor] = self.routing(votes, self.windows(activations))
        return routed


class ClassMatrixCapsules(nn.Module):
    """One capsule for each class above the whole map: a matrix for each pair of kind and class, shared by all places.

    So that the place is not lost, its centre ``(row, column)`` in (0, 1) is added to the first two numbers of a vote's
    last column.
    """

    centres: Tensor

    def __init__(
        self, height: int, width: int, lower: int, classes: int, iterations: int, sharpness: float = 0.01
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(_matrices(1, lower, classes)[0])
        self.windows = Windows(height, width, (height, width), 1)
        self.routing = EMRouting(classes, iterations, self.windows, sharpness)
        rows = (torch.arange(height) + 0.5) / height
        columns = (torch.arange(width) + 0.5) / width
        centres = torch.zeros(height, width, 4, 4)
        centres[..., 0, 3] = rows.unsqueeze(1)
        centres[..., 1, 3] = columns
        self.register_buffer("centres", centres.flatten(0, 1), persistent=False)

    def forward(self, poses: Tensor, activations: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(B, H * W, lower, 16)`` and ``(B, H * W, lower)`` to ``(B, classes, 16)`` and ``(B, classes)``."""
        poses = self.windows(poses).unflatten(4, (4, 4))
        votes = torch.einsum("blwimn,ijno->blwijmo", poses, self.weight) + self.centres[:, None, None]
        upper, active = self.routing(votes.flatten(5), self.windows(activations))
        return upper[:, 0], active[:, 0]


def _matrices(places: int, lower: int, upper: int) -> Tensor:
    """Draw 4x4 matrices ``(places, lower, upper, 4, 4)`` near the identity: a vote begins as the pose itself."""
    return torch.eye(4) + 0.1 * torch.randn(places, lower, upper, 4, 4)
