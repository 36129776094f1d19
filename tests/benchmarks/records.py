"""Records made by hand."""

from typing import Any

from benchmarks.record import Record


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "kind": "score",
        "name": "toy",
        "system": "MLPClassifier",
        "config": "configs/classifiers/mlp_mnist.yaml",
        "seed": 0,
        "steps": 8600,
        "metrics": {"test/accuracy@last": 0.984},
        "protocol": "10,000 test images",
        "budget": "20 epochs",
        "args": [],
        "options": {},
        "command": "python -m benchmarks.run toy --seeds 0",
        "wall_seconds": 61.4,
        "commit": "0123456789ab",
        "versions": {"torch": "2.14.1"},
        "hardware": {"cpu": "A processor", "cores": 2, "threads": 2},
        "date": "2026-01-02T03:04:05+00:00",
    }
    return Record(**values | changes)
