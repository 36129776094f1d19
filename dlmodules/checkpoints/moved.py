"""The new paths of classes and functions that checkpoints, configurations and programs name by an earlier path.

A checkpoint names the class of its module, of its networks, optimizers and schedules, and the configuration beside it
names data modules and callbacks. When one of them, or a function that the pages name, moves or changes its name, its
earlier path enters this table, and the import system finds it, whoever asks: ``load_from_checkpoint``, the command
line, an ``import``.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "callbacks.attribute_vectors.AttributeVectors": "callbacks.AttributeVectors",
    "callbacks.box_picture.BoxPicture": "callbacks.BoxPicture",
    "callbacks.checkpoints.AtomicCheckpointIO": "callbacks.AtomicCheckpointIO",
    "callbacks.checkpoints.LastCheckpoint": "callbacks.LastCheckpoint",
    "callbacks.class_report.ClassReport": "callbacks.ClassReport",
    "callbacks.collapse_alarm.CollapseAlarm": "callbacks.CollapseAlarm",
    "callbacks.compile_networks.CompileNetworks": "callbacks.CompileNetworks",
    "callbacks.confusion_matrix.ConfusionMatrix": "callbacks.ConfusionMatrix",
    "callbacks.discriminator_histogram.DiscriminatorHistogram": "callbacks.DiscriminatorHistogram",
    "callbacks.drawing.Drawing": "callbacks.base.plotting.PlottingCallback",
    "callbacks.drawing.DrawingOfImages": "callbacks.base.image_plotting.ImagePlottingCallback",
    "callbacks.ema.GeneratorEMA": "callbacks.GeneratorEMA",
    "callbacks.episode_video.EpisodeVideo": "callbacks.EpisodeVideo",
    "callbacks.evaluation.WatchesEvaluation": "callbacks.base.evaluation.WatchesEvaluation",
    "callbacks.exact_resume.ExactResume": "callbacks.ExactResume",
    "callbacks.generative_metrics.GenerativeMetrics": "callbacks.GenerativeMetrics",
    "callbacks.gradient_norms.GradientNorms": "callbacks.GradientNorms",
    "callbacks.input_space.InputSpace": "callbacks.InputSpace",
    "callbacks.latent_map.LatentMap": "callbacks.LatentMap",
    "callbacks.latent_walks.CodeHistograms": "callbacks.CodeHistograms",
    "callbacks.latent_walks.Interpolations": "callbacks.Interpolations",
    "callbacks.latent_walks.Traversals": "callbacks.Traversals",
    "callbacks.loss_curve.LossCurve": "callbacks.LossCurve",
    "callbacks.mistakes.Mistakes": "callbacks.Mistakes",
    "callbacks.nearest_neighbours.NearestNeighbours": "callbacks.NearestNeighbours",
    "callbacks.neighbourhoods.NeighbourhoodScores": "callbacks.images.neighbourhoods.NeighbourhoodScores",
    "callbacks.predictions.DrawingOfPredictions": "callbacks.classifiers.predictions.PredictionPlottingCallback",
    "callbacks.reconstructions.Reconstructions": "callbacks.Reconstructions",
    "callbacks.row_pictures.RowPictures": "callbacks.RowPictures",
    "callbacks.run_loggers.RunCSVLogger": "callbacks.run.loggers.RunCSVLogger",
    "callbacks.run_loggers.RunWandbLogger": "callbacks.run.loggers.RunWandbLogger",
    "callbacks.saliency.Saliency": "callbacks.Saliency",
    "callbacks.sample_grid.SampleGrid": "callbacks.SampleGrid",
    "callbacks.throttled_progress_bar.ThrottledProgressBar": "callbacks.ThrottledProgressBar",
    "callbacks.weight_pictures.WeightPictures": "callbacks.WeightPictures",
    "datamodules.augmentation.RandomAffineAndFlip": "dlmodules.layers.RandomAffineAndFlip",
    "datamodules.augmentation.RandomShiftAndFlip": "dlmodules.layers.RandomShiftAndFlip",
    "datamodules.binarized_mnist.BinarizedMNISTDataModule": "datamodules.BinarizedMNISTDataModule",
    "datamodules.celeba.CelebADataModule": "datamodules.CelebADataModule",
    "datamodules.cifar10.CIFAR10DataModule": "datamodules.CIFAR10DataModule",
    "datamodules.diabetes.DiabetesDataModule": "datamodules.DiabetesDataModule",
    "datamodules.digits.DigitsDataModule": "datamodules.DigitsDataModule",
    "datamodules.environment.EnvironmentDataModule": "datamodules.EnvironmentDataModule",
    "datamodules.fashion_mnist.FashionMNISTDataModule": "datamodules.FashionMNISTDataModule",
    "datamodules.image_folder.ImageFolderDataModule": "datamodules.ImageFolderDataModule",
    "datamodules.imdb.IMDBDataModule": "datamodules.IMDBDataModule",
    "datamodules.iris.IrisDataModule": "datamodules.IrisDataModule",
    "datamodules.land.LandDataModule": "datamodules.LandDataModule",
    "datamodules.mnist.MNISTDataModule": "datamodules.MNISTDataModule",
    "datamodules.planet_pixel.PlanetPixelDataModule": "datamodules.PlanetPixelDataModule",
    "datamodules.quickdraw.QuickDrawDataModule": "datamodules.QuickDrawDataModule",
    "datamodules.rows.RowDataModule": "datamodules.tables.rows.RowDataModule",
    "datamodules.states.StatesDataModule": "datamodules.StatesDataModule",
    "datamodules.table.TableDataModule": "datamodules.TableDataModule",
    "datamodules.text.TextDataModule": "datamodules.TextDataModule",
    "datamodules.text.vocabulary.CharacterVocabulary": "dlmodules.sequences.vocabulary.CharacterVocabulary",
    "datamodules.text.vocabulary.Vocabulary": "dlmodules.sequences.vocabulary.Vocabulary",
    "datamodules.text_table.TextTableDataModule": "datamodules.TextTableDataModule",
    "datamodules.tins.TinsDataModule": "datamodules.TinsDataModule",
    "datamodules.toy_sentiment.ToySentimentDataModule": "datamodules.ToySentimentDataModule",
    "datamodules.toys.BoxDataModule": "datamodules.BoxDataModule",
    "datamodules.toys.RingDataModule": "datamodules.RingDataModule",
    "datamodules.toys.XORDataModule": "datamodules.XORDataModule",
    "datamodules.vision.InMemoryDataModule": "datamodules.base.in_memory.InMemoryDataModule",
    "datamodules.vision.VisionDataModule": "datamodules.VisionDataModule",
    "datamodules.wrodl.WrodlDataModule": "datamodules.WrodlDataModule",
    "dlmodules.allocator.keep_freed_memory": "dlmodules.training.keep_freed_memory",
    "dlmodules.classifiers.estimator.EstimatorClassifier": "dlmodules.EstimatorClassifier",
    "dlmodules.classifiers.mlp_regression.MLPRegression": "dlmodules.MLPRegression",
    "dlmodules.classifiers.recurrent.last_state": "dlmodules.layers.recurrent.last_state",
    "dlmodules.classifiers.recurrent.make_recurrent": "dlmodules.layers.recurrent.make_recurrent",
    "dlmodules.classifiers.regression.LinearRegression": "dlmodules.LinearRegression",
    "dlmodules.gans.base.AdversarialModule": "dlmodules.adversarial.AdversarialModule",
    "dlmodules.gans.distances.discriminator_loss": "dlmodules.adversarial.discriminator_loss",
    "dlmodules.gans.distances.earth_movers_distance": "dlmodules.adversarial.earth_movers_distance",
    "dlmodules.gans.distances.js_divergence": "dlmodules.adversarial.js_divergence",
    "dlmodules.gans.distances.kl_divergence": "dlmodules.adversarial.kl_divergence",
    "dlmodules.gans.distances.optimal_discriminator": "dlmodules.adversarial.optimal_discriminator",
    "dlmodules.gans.distances.optimal_discriminator_loss": "dlmodules.adversarial.optimal_discriminator_loss",
    "dlmodules.gans.infogan_paper.PaperDiscriminator": "dlmodules.gans.InfoGANDiscriminator",
    "dlmodules.gans.infogan_paper.PaperGenerator": "dlmodules.gans.InfoGANGenerator",
    "dlmodules.gans.optimizers.AdversarialAdam": "dlmodules.adversarial.AdversarialAdam",
    "dlmodules.layers.ConvRBM": "dlmodules.energy.conv_rbm.ConvRBM",
    "dlmodules.layers.Standardize": "dlmodules.classifiers.Standardize",
    "dlmodules.layers.conv_rbm.ConvRBM": "dlmodules.energy.conv_rbm.ConvRBM",
    "dlmodules.layers.greedy.GreedyStack": "dlmodules.training.GreedyStack",
    "dlmodules.layers.standardize.Standardize": "dlmodules.classifiers.Standardize",
    "dlmodules.schedules.PiecewiseConstantLR": "dlmodules.training.PiecewiseConstantLR",
}
"""Earlier path: path now."""

# Every import that fails elsewhere asks for these.
_EARLIER_MODULES = frozenset(earlier.rpartition(".")[0] for earlier in MOVED)


class _EarlierModule(ModuleType):
    """Stands where a module was, and has what moved away from it."""

    def __getattr__(self, name: str) -> Any:
        if f"{self.__name__}.{name}" not in MOVED:
            raise AttributeError(f"module {self.__name__!r} moved, and had no {name!r}")
        return _moved(f"{self.__name__}.{name}")


def or_moved(package: str, find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for ``package``: ``find``, and what has moved out of the package."""

    def find_or_follow(name: str) -> Any:
        earlier = f"{package}.{name}"
        return _moved(earlier) if earlier in MOVED else find(name)

    return find_or_follow


def _moved(earlier: str) -> Any:
    module, _, current = MOVED[earlier].rpartition(".")
    return getattr(import_module(module), current)


class MovedModules(MetaPathFinder, Loader):
    """Finds the modules that are no more, for what they had."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of an earlier module; None for any other."""
        return ModuleSpec(fullname, self) if fullname in _EARLIER_MODULES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module that stands in."""
        return _EarlierModule(spec.name, "Moved; see ``dlmodules.checkpoints.moved``.")

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: what it had is looked up when it is asked for."""


def find_moved() -> None:
    """Let the import system find earlier modules, after all that exist."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
