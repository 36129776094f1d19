"""Scores of models that write a text for a text, what their beams find, and where they look."""

from dataclasses import replace

import torch
import yaml
from torchmetrics import SpearmanCorrCoef
from torchmetrics.text import SacreBLEUScore

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import text as data_modules
from datamodules.text.text_pairs import Pairs, TextPairsDataModule
from dlmodules import Seq2Seq
from dlmodules.text.sequence_to_sequence import SequenceToSequence

CHECKED = 200  # pairs of the test
SLACK = 1e-4  # nats, for rounding


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then look at beams, and at attention where it is one map."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, SequenceToSequence)
    config = scores.run_folder(row, seed, context, record) / "config.yaml"
    pairs = data_of(yaml.safe_load(config.read_text())["data"]).read("test")
    checked = pairs.take(list(range(min(20 if context.quick else CHECKED, len(pairs.sources)))))
    found = {"beams_below_greedy": beams_below_greedy(module, checked)}
    if isinstance(module, Seq2Seq) and module.hparams.get("attention", "bahdanau") != "none":
        found["attention_order"] = attention_order(module, checked)
    if "test/bleu@last" in record.metrics:
        bleu = SacreBLEUScore()(pairs.sources, [[target] for target in pairs.targets])
        found["baseline/bleu"] = 100 * float(bleu)
    return replace(record, metrics={**record.metrics, **found})


def data_of(described: dict[str, object]) -> TextPairsDataModule:
    """Return the data module of a run's ``config.yaml``."""
    arguments = described.get("init_args", {})
    assert isinstance(arguments, dict)
    made = getattr(data_modules, str(described["class_path"]).rpartition(".")[2])(**arguments)
    assert isinstance(made, TextPairsDataModule)
    return made


@torch.no_grad()
def beams_below_greedy(module: SequenceToSequence, pairs: Pairs) -> float:
    """Return for how many sources a beam's best target is less probable than that of greedy decoding."""
    below = 0
    for text in pairs.sources:
        source = module.source_of(text)
        found = [module.search(source[None], beam)[0][0].log_probability for beam in (1, module.beam)]
        below += found[1] < found[0] - SLACK
    return float(below)


def attention_order(module: Seq2Seq, pairs: Pairs) -> float:
    """Return the mean rank correlation of the targets' places and of those places of the sources that they look at."""
    correlations = []
    for text in pairs.sources:
        weights = module.attention_maps(text).weights["attention"][:-1]  # without the stop
        if len(weights) > 2:
            places = weights.argmax(dim=1).float()
            correlations.append(SpearmanCorrCoef()(torch.arange(len(places)).float(), places))
    return float(torch.stack(correlations).nan_to_num(0.0).mean())
