import pytest
from jsonargparse import ArgumentParser
from pytorch_lightning import Callback

import callbacks


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("AttributeVectors", {"examples": 2, "strengths": [-1.0, 0.0, 1.5], "attributes": ["Hat"]}),
        ("ClassReport", {"every_n_epochs": 5}),
        ("CollapseAlarm", {"every_n_steps": 10, "threshold": 0.5, "labels": [1], "stop": True}),
        ("ConfusionMatrix", {"every_n_epochs": 2, "max_classes": 50}),
        ("DiscriminatorHistogram", {"num": 8, "bins": 5}),
        ("EpisodeVideo", {"episodes": 2, "fmt": "gif", "every_n_steps": 100}),
        ("GenerativeMetrics", {"feature_network": "runs/x.ckpt", "num_samples": 100}),
        ("GenerativeMetrics", {"feature_network": {"class_path": "torch.nn.Flatten"}}),
        ("EMA", {"decay": 0.98}),
        ("GeneratorEMA", {"decay": 0.9, "modules": ["generator", "mapping.net"]}),
        ("GradientNorms", {}),
        ("LatentMap", {"manifold": "quantiles", "manifold_size": 10}),
        ("LatentMap", {"projection": "tsne", "colour_by": "Smiling"}),
        ("LossCurve", {"every_n_epochs": 3}),
        ("Mistakes", {"num": 5, "columns": 5}),
        ("NearestNeighbours", {"examples": 3, "neighbours": 2, "max_train": 100}),
        ("PlannedWays", {"num": 4, "spacing": 25, "columns": 2}),
        ("Reconstructions", {"num": 3, "columns": 4}),
        ("Saliency", {"num": 3, "layer": "network.0"}),
        ("SearchPicture", {"simulations": 16, "plies": 2}),
        ("BoxPicture", {"every_n_epochs": 2, "seed": 3}),
        ("RowPictures", {"num": 4, "columns": 2}),
        ("SampleGrid", {"num": 3, "labels": [1, 2], "film_fps": 2.0}),
        ("SteeringPictures", {"num": 4, "spacing": 25, "columns": 2}),
        ("StrokeSamples", {"num": 4, "texts": ["AB", "C"], "every_n_steps": 50, "columns": 2}),
        ("TwoAxesCurve", {"left": ["train/U"], "right": ["train/loss"], "left_limits": [-3.0, 2.0]}),
        ("WeightPictures", {"num": 25, "columns": 5, "color": False}),
    ],
)
def test_a_config_file_builds_it(name, arguments):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--callback", type=Callback)
    config = parser.parse_object({"callback": {"class_path": f"callbacks.{name}", "init_args": arguments}})
    built = parser.instantiate_classes(config).callback
    assert type(built) is getattr(callbacks, name)
    for key, value in arguments.items():
        if not isinstance(value, dict):
            kept = getattr(built, key)
            assert (list(kept) if isinstance(kept, tuple) else kept) == value


def test_every_public_name_can_be_imported():
    assert {"SampleGrid", "Reconstructions", "LatentMap", "LossCurve", "GeneratorEMA"} < set(callbacks.__all__)
    for name in callbacks.__all__:
        assert isinstance(getattr(callbacks, name), type)
