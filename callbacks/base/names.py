"""Names of classes, attributes and sets in a picture."""

from pytorch_lightning import Trainer
from pytorch_lightning.trainer.states import TrainerFn

from callbacks.base.trainers import datamodule_of
from dlmodules.protocols import HasAttributeNames, HasClassNames


def known_class_names(trainer: Trainer) -> list[str]:
    """The data module's names of the classes; none where it names none."""
    data = datamodule_of(trainer)
    return [str(name) for name in data.class_names] if isinstance(data, HasClassNames) else []


def class_names(trainer: Trainer, num_classes: int) -> list[str]:
    """The data module's names of the classes; their numbers where there are no names for all of them."""
    names = known_class_names(trainer)
    return names[:num_classes] if len(names) >= num_classes else [str(index) for index in range(num_classes)]


def known_attribute_names(trainer: Trainer) -> list[str]:
    """The data module's names of the attributes; none where it names none."""
    data = datamodule_of(trainer)
    return [str(name) for name in data.attribute_names] if isinstance(data, HasAttributeNames) else []


def attribute_names(trainer: Trainer, count: int) -> list[str]:
    """The data module's names of the attributes; their numbers where there are no names for all of them."""
    names = known_attribute_names(trainer)
    return names if len(names) == count else [str(index) for index in range(count)]


def set_name(trainer: Trainer) -> str:
    """What to call the set that is looked at: ``validation`` or ``test``."""
    return "test" if trainer.state.fn == TrainerFn.TESTING else "validation"
