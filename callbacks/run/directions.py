"""Which way each validation metric of the package gets better: known here, for all families."""

from typing import Literal

Direction = Literal["min", "max"]

DIRECTIONS: dict[str, Direction] = {
    "loss": "min",
    "reconstruction": "min",
    "l1": "min",
    "psnr": "max",
    "cycle_a": "min",
    "cycle_b": "min",
    "read_a2b": "max",
    "read_b2a": "max",
    "read_a": "max",
    "read_b": "max",
    "content_error": "min",
    "style_error": "min",
    "style_of_start": "min",
    "rmse": "min",
    "mae": "min",
    "within_2": "max",
    "lighter": "max",
    "perplexity": "min",
    "bits_per_character": "min",
    "impossible": "min",
    "fid": "min",
    "kid": "min",
    "accuracy": "max",
    "encoder_accuracy": "max",
    "elbo": "max",
    "log_likelihood": "max",
    "possible_log_likelihood": "max",
    "pseudo_likelihood": "max",
    "r2": "max",
    "displacement": "min",
    "collisions": "min",
    "off_road": "min",
    "progress": "max",
    "recovered": "max",
    "return": "max",
    "wins": "max",
    "losses": "min",
    "search_return": "max",
    "search_wins": "max",
    "search_losses": "min",
    "precision": "max",
    "recall": "max",
    "coverage": "max",
    "class_coverage": "max",
    "conditional_accuracy": "max",
    "matched_accuracy": "max",
    "analogies": "max",
    "word_similarity": "max",
    "exact": "max",
    "bleu": "max",
    "question_exact": "max",
    "tag_f1": "max",
    "span_f1": "max",
    "tag_loss": "min",
    "question_loss": "min",
    "masked_loss": "min",
    "masked_accuracy": "max",
    "next_loss": "min",
    "next_accuracy": "max",
    "z_loss": "min",
    "reward_loss": "min",
    "end_loss": "min",
    "reward_auc": "max",
    "end_auc": "max",
    "offset_loss": "min",
    "pen_loss": "min",
    "pen_accuracy": "max",
}
"""The name behind ``val/``: whether its lowest or its highest value is the best."""

NO_BEST = frozenset({"kl", "active_units", "free_energy", "d_real", "episode_length"})
"""Those that describe a run, of which neither end is the better one."""


def direction_of(metric: str) -> Direction | None:
    """Return which end of ``val/...`` is the best; None of any other metric and of one that has no best."""
    part, _, name = metric.partition("/")
    return DIRECTIONS.get(name) if part == "val" else None
