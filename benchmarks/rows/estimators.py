"""The rows of scikit-learn's estimators."""

from benchmarks.row import Figure, Row

_ESTIMATORS = (
    ("forest", "random forest of 100 trees", 0.9),
    ("tree", "decision tree", 0.9),
    ("boosting", "boosted trees", 0.9),
    ("svm", "support vector machine", 0.9),
    ("naive_bayes", "naive Bayes of normal distributions", 0.9),
    ("kmeans", "k-means, its clusters named by the training rows", 0.8),
)
ROWS = tuple(
    Row(
        name=f"estimator_iris_{name}",
        kind="score",
        program="programs.scores",
        system="EstimatorClassifier",
        config=f"configs/estimators/estimator_iris_{name}.yaml",
        budget=f"one fit: {what}",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/accuracy@last",
                "test accuracy",
                digits=3,
                bar=bar,
                baseline="baseline/accuracy",
                guess="the most frequent class",
            ),
        ),
        protocol="test irises, the same for every seed; the bar is that of the learning tests",
        options={"baseline": "majority"},
        cost="seconds",
    )
    for name, what, bar in _ESTIMATORS
)
