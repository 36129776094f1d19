"""What a dashboard shows of each family: names that its runs log, which a test compares with what they really log."""

from dataclasses import dataclass

from callbacks.run.directions import direction_of


@dataclass(frozen=True)
class Panels:
    """The panels of a family.

    Args:
        curves: the metrics of each plot.
        pictures: the names of what its callbacks plot or film; ``/`` is written as in the log.
        tables: the names of what they write as tables.
        best: the metrics whose best value is a column of the table of runs; the first orders it.
    """

    curves: tuple[tuple[str, ...], ...]
    pictures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    best: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """Every metric that is named, once."""
        return list(dict.fromkeys((*(name for curve in self.curves for name in curve), *self.best)))

    @property
    def columns(self) -> list[str]:
        """The best values under the names that they have in the summary of a run, such as ``val/loss.min``."""
        return [f"{name}.{direction_of(name)}" for name in self.best]


def _both(name: str) -> tuple[str, str]:
    return f"train/{name}", f"val/{name}"


PANELS = {
    "autoencoders": Panels(
        curves=(_both("loss"),), pictures=("reconstructions", "latent_map", "traversals"), best=("val/loss",)
    ),
    "classifiers": Panels(
        curves=(_both("accuracy"), _both("loss")),
        pictures=("confusion_matrix", "mistakes", "input_space"),
        best=("val/accuracy", "val/loss"),
    ),
    "densities": Panels(
        curves=(_both("log_likelihood"), ("val/possible_log_likelihood",), ("val/impossible",)),
        pictures=("samples", "row_pictures", "box"),
        best=("val/log_likelihood", "val/possible_log_likelihood", "val/impossible"),
    ),
    "driving": Panels(
        curves=(
            ("train/loss",),
            ("val/mae",),
            ("val/r2",),
            ("val/within_2",),
            ("val/lighter",),
            ("val/displacement",),
            ("val/collisions", "val/off_road"),
            ("val/recovered", "val/progress"),
        ),
        pictures=("steering", "planned_ways"),
        best=("val/mae", "val/r2", "val/within_2", "val/displacement", "val/collisions", "val/recovered"),
    ),
    "energy": Panels(
        curves=(("train/loss",), ("val/reconstruction",), ("val/pseudo_likelihood",), ("val/free_energy",)),
        pictures=("weights", "reconstructions", "samples"),
        best=("val/reconstruction", "val/pseudo_likelihood"),
    ),
    "estimators": Panels(curves=(_both("accuracy"),), pictures=("confusion_matrix",), best=("val/accuracy",)),
    "gans": Panels(
        curves=(
            ("train/d_loss", "train/g_loss"),
            ("train/d_real", "train/d_fake", "val/d_real"),
            ("train/d_accuracy",),
            ("train/wasserstein",),
            ("train/gp_loss",),
            ("train/d_label_loss", "train/g_label_loss"),
        ),
        pictures=("samples", "samples_film"),
    ),
    "regression": Panels(
        curves=(("train/loss",), ("val/rmse",), ("val/r2",)),
        pictures=("input_space",),
        best=("val/rmse", "val/r2"),
    ),
    "rl": Panels(
        curves=(
            ("train/return", "val/return"),
            ("train/episode_length", "val/episode_length"),
            ("train/epsilon",),
            ("train/steps_per_second",),
        ),
        pictures=("episode",),
        best=("val/return",),
    ),
    "style": Panels(
        curves=(
            _both("loss"),
            ("train/content_loss", "train/style_loss"),
            ("train/variation_loss",),
            ("val/content_error", "val/style_error"),
            ("val/style_of_start",),
        ),
        pictures=("stylizations", "stylized"),
        best=("val/loss", "val/content_error", "val/style_error"),
    ),
    "text": Panels(
        curves=(
            _both("loss"),
            ("val/perplexity",),
            ("val/bits_per_character",),
            ("val/analogies",),
            ("val/exact",),
            ("val/bleu",),
            ("val/masked_accuracy", "val/next_accuracy"),
            ("val/question_exact", "val/tag_f1", "val/span_f1"),
        ),
        pictures=("embedding_map", "attention_1", "answers_1"),
        tables=("text_samples", "pair_samples", "nearest_words"),
        best=("val/loss", "val/perplexity", "val/analogies", "val/exact", "val/bleu", "val/question_exact"),
    ),
    "translation": Panels(
        curves=(
            ("train/d_loss", "train/g_loss"),
            ("train/adversarial_loss",),
            ("train/l1_loss", "val/l1"),
            ("train/cycle_loss",),
            ("val/cycle_a", "val/cycle_b"),
            ("train/semantic_loss",),
            ("val/read_a2b", "val/read_b2a"),
            ("train/c_loss", "train/task_loss"),
            ("val/read_a", "val/read_b"),
            ("val/psnr",),
            ("train/d_real", "train/d_fake", "val/d_real"),
            ("train/d_accuracy",),
        ),
        pictures=("translations_a2b", "translations_b2a"),
        best=("val/l1", "val/psnr", "val/cycle_a", "val/cycle_b", "val/read_a2b", "val/read_b"),
    ),
    "vaes": Panels(
        curves=(_both("loss"), _both("reconstruction"), _both("kl"), ("val/active_units",)),
        pictures=("samples", "reconstructions", "latent_map", "latent_manifold"),
        best=("val/loss", "val/reconstruction"),
    ),
    "world_models": Panels(
        curves=(
            _both("loss"),
            _both("z_loss"),
            ("val/end_loss", "val/end_auc"),
            ("val/offset_loss", "val/pen_loss"),
            ("val/pen_accuracy",),
        ),
        pictures=("stroke_samples",),
        best=("val/loss", "val/z_loss"),
    ),
}
"""The families by their folder."""
