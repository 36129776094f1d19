"""Scores of a picture with a style, always by the network that was trained, whatever found the picture."""

from dataclasses import replace

from benchmarks.context import Context
from benchmarks.data.pictures import WEIGHTS, found
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules import NeuralStyle
from dlmodules.style.objective import FORMULAS, StyleObjective
from dlmodules.style.vgg import load_feature_network


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then judge its picture, and the content itself, by trained weights."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, NeuralStyle)
    data = scores.data_of_run(row, seed, context, record)
    content, style = next(iter(data.test_dataloader()))
    layers = [*module.content_layers, *module.style_layers]
    network = load_feature_network(found(WEIGHTS), layers, module.pooling)
    objective = StyleObjective(network, module.content_layers, module.style_layers, FORMULAS["relative"])
    targets = objective.targets(content, style)
    judged, before = (objective.judge(picture, targets) for picture in (module.stylize(content), content))
    metrics = {
        "judged/content_error": float(judged.content),
        "judged/style_error": float(judged.style),
        "judged/style_of_content": float(judged.style / before.style),
        "evaluations": float(module.evaluations),
    }
    return replace(record, metrics={**record.metrics, **metrics})
