"""All that callbacks and commands may require of a module or of a data module; one file for each subject.

A module has those of these methods that make sense for it; a caller checks with ``isinstance``. That compares names
alone, so no two media share a method: ``sample`` with ``image_shape`` is for images, ``sample_rows`` for rows.

Images are ``(B, C, H, W)`` float32 in [0, 1], whatever range the networks use inside. A conditional module
(``conditional`` is true) takes the labels ``(B,)`` as a second argument of ``encode``, ``decode`` and ``reconstruct``.

From Python 3.12 on ``isinstance`` sees neither submodules nor buffers of a module: no protocol that is checked so may
name one.
"""

from dlmodules.protocols.actions import Acts, ActsWithMemory, Memory
from dlmodules.protocols.adversaries import DifferentiatesTwice, Discriminates, HasAdversaries
from dlmodules.protocols.batch import Batch
from dlmodules.protocols.classifiers import Classifies, HasFeatures, HasInputShape, ShowsFilters, Weighs
from dlmodules.protocols.codes import BoundsCodes, Decodes, Encodes, EncodesDistributions, HasLatentDim, Traverses
from dlmodules.protocols.conditional import (
    Conditional,
    FindsClasses,
    HasClasses,
    class_count,
    finds_classes,
    is_conditional,
)
from dlmodules.protocols.data import (
    HasAttributeNames,
    HasClassNames,
    HasRows,
    HasTrainSet,
    MakesEnvironments,
    MapsLand,
    RendersRows,
)
from dlmodules.protocols.driving import DrivesByPlans, PlansWays, SteersByFrames
from dlmodules.protocols.dynamics import Dynamics, StateStep, StateStream
from dlmodules.protocols.environments import AsksExpert, EnvironmentSource, EnvironmentStream
from dlmodules.protocols.episodes import ActsInEpisodes, PlayedEpisodes, PlaysEpisodes
from dlmodules.protocols.examples import GivesExamples, HasSmallArguments
from dlmodules.protocols.games import Analyses, Analysis, Boards, Estimates, Game, Player, PlaysGames, Symmetry
from dlmodules.protocols.images import (
    CONTENT_AND_STYLE,
    IMAGE_PAIR,
    Corrupts,
    HasImageShape,
    Reconstructs,
    SamplesImages,
    Stylizes,
    Translates,
)
from dlmodules.protocols.populations import HasPopulation
from dlmodules.protocols.rows import SamplesRows
from dlmodules.protocols.runs import CountsEnvironmentSteps, HasBestMetric
from dlmodules.protocols.sequences import (
    Attends,
    AttentionMap,
    ContinuesText,
    CountsCharacters,
    FindsAnswers,
    Generates,
    HasLanes,
    HasPairs,
    HasPairTokenizers,
    HasTokenizer,
    ProposesTokens,
    ScoresText,
    TextScore,
    TranslatesTexts,
)
from dlmodules.protocols.strokes import NO_POINT, HasAlphabet, SamplesStrokes, WritesText
from dlmodules.protocols.tables import HasActionValues, HasStateValues
from dlmodules.protocols.tokenizer import IGNORED, PAD, Tokenizer
from dlmodules.protocols.transition import Transition
from dlmodules.protocols.words import CountsWords, EmbedsWords, Question, RatedPair, TestsWords
from dlmodules.protocols.worlds import Dreams, GivesStarts, LatentSeries, Perceives

__all__ = [
    "CONTENT_AND_STYLE",
    "IGNORED",
    "IMAGE_PAIR",
    "NO_POINT",
    "PAD",
    "Acts",
    "ActsInEpisodes",
    "ActsWithMemory",
    "Analyses",
    "Analysis",
    "AsksExpert",
    "Attends",
    "AttentionMap",
    "Batch",
    "Boards",
    "BoundsCodes",
    "Classifies",
    "Conditional",
    "ContinuesText",
    "Corrupts",
    "CountsCharacters",
    "CountsEnvironmentSteps",
    "CountsWords",
    "Decodes",
    "DifferentiatesTwice",
    "Discriminates",
    "Dreams",
    "DrivesByPlans",
    "Dynamics",
    "EmbedsWords",
    "Encodes",
    "EncodesDistributions",
    "EnvironmentSource",
    "EnvironmentStream",
    "Estimates",
    "FindsAnswers",
    "FindsClasses",
    "Game",
    "Generates",
    "GivesExamples",
    "GivesStarts",
    "HasActionValues",
    "HasAdversaries",
    "HasAlphabet",
    "HasAttributeNames",
    "HasBestMetric",
    "HasClassNames",
    "HasClasses",
    "HasFeatures",
    "HasImageShape",
    "HasInputShape",
    "HasLanes",
    "HasLatentDim",
    "HasPairTokenizers",
    "HasPairs",
    "HasPopulation",
    "HasRows",
    "HasSmallArguments",
    "HasStateValues",
    "HasTokenizer",
    "HasTrainSet",
    "LatentSeries",
    "MakesEnvironments",
    "MapsLand",
    "Memory",
    "Perceives",
    "PlansWays",
    "PlayedEpisodes",
    "Player",
    "PlaysEpisodes",
    "PlaysGames",
    "ProposesTokens",
    "Question",
    "RatedPair",
    "Reconstructs",
    "RendersRows",
    "SamplesImages",
    "SamplesRows",
    "SamplesStrokes",
    "ScoresText",
    "ShowsFilters",
    "StateStep",
    "StateStream",
    "SteersByFrames",
    "Stylizes",
    "Symmetry",
    "TestsWords",
    "TextScore",
    "Tokenizer",
    "Transition",
    "Translates",
    "TranslatesTexts",
    "Traverses",
    "Weighs",
    "WritesText",
    "class_count",
    "finds_classes",
    "is_conditional",
]
