"""What to call classes and sets in a picture."""

from pytorch_lightning import Trainer
from pytorch_lightning.trainer.states import TrainerFn


def class_names(trainer: Trainer, num_classes: int) -> list[str]:
    """The data module's names of the classes; their numbers where there are no names for all of them."""
    names = getattr(getattr(trainer, "datamodule", None), "class_names", None)
    if names and len(names) >= num_classes:
        return [str(name) for name in names[:num_classes]]
    return [str(index) for index in range(num_classes)]


def set_name(trainer: Trainer) -> str:
    """What to call the set that is looked at: ``validation`` or ``test``."""
    return "test" if trainer.state.fn == TrainerFn.TESTING else "validation"
