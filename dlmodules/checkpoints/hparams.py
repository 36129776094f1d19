"""Hyperparameters that a checkpoint can hold as plain values and rebuild the module from.

A module built by hand holds live objects: networks, optimizer factories. Pickled into a checkpoint
they would need code to be run on loading. Here each becomes ``{"class_path": ..., "init_args": ...}``,
the form that the command line uses, so ``load_from_checkpoint(path, weights_only=True)`` rebuilds
both kinds of runs.
"""

import inspect
import sys
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from jsonargparse import ArgumentParser
from pytorch_lightning import LightningModule
from torch import nn

OWN_PACKAGES = ("dlmodules", "datamodules", "callbacks")
INSTANTIATOR = "pytorch_lightning.cli.instantiate_module"


def save_portable_hyperparameters(module: LightningModule) -> None:
    """Call in place of ``module.save_hyperparameters()`` in a constructor, before its arguments are changed.

    Called in a base class it gathers the arguments of the whole chain of constructors and keeps those
    that the outermost one takes, by name or by ``**kwargs``, so children and users' subclasses need not call it
    again. A network that
    cannot be rebuilt from its class (its arguments are neither defaults nor attributes of the same name) is
    left out with a warning: it must be passed to ``load_from_checkpoint``.
    """
    frame = inspect.currentframe()
    if frame is None or frame.f_back is None:
        raise RuntimeError("the interpreter gives no frames to read the constructor's arguments from")
    calls = _constructor_calls(module, frame.f_back)
    arguments = {name: value for call in calls for name, value in call.items()}  # the outermost constructor's win
    # Lightning would copy the networks among them; what the command line has given is plain and stands apart.
    module.save_hyperparameters(frame=frame.f_back, ignore=list(arguments))
    if "_instantiator" in module.hparams:
        module.save_hyperparameters(frame=frame.f_back)
        return
    hparams: dict[str, Any] = {}
    cls: Any = type(module)  # a class hashes as itself, which its type does not say
    accepted = constructor_arguments(cls)
    if unseen := sorted(calls[-1].keys() - accepted):
        warnings.warn(
            f"{cls.__name__} does not plainly hand on {', '.join(unseen)}, so its checkpoints cannot rebuild it:"
            " write super().__init__(**kwargs) in its constructor",
            stacklevel=2,
        )
    for name, value in arguments.items():
        if name not in accepted:
            continue
        try:
            hparams[name] = _portable(value)
        except ValueError:
            warnings.warn(
                f"{type(module).__name__}.{name} ({type(value).__name__}) cannot be rebuilt from a checkpoint:"
                f" pass it to load_from_checkpoint(path, {name}=...)",
                stacklevel=2,
            )
    hparams["_instantiator"] = INSTANTIATOR
    if "<locals>" not in type(module).__qualname__:
        hparams["_class_path"] = class_path(type(module))
    module.save_hyperparameters(hparams)


@cache
def constructor_arguments(cls: Any) -> frozenset[str]:
    """Return the names of the arguments that ``cls`` takes, those that its ``**kwargs`` hand to its parents included.

    What a constructor itself gives to its parent, as in ``super().__init__(loss="hinge", **kwargs)``, is not among
    them. The command line shows the same arguments.
    """
    own = inspect.signature(cls).parameters.values()
    named = {argument.name for argument in own if argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)}
    if len(named) < len(own):
        parser = ArgumentParser(exit_on_error=False)
        named |= set(parser.add_class_arguments(cls, fail_untyped=False, instantiate=False))
    return frozenset(named)


def missing_networks(cls: Any, kept: Mapping[str, Any], weights: Iterable[str]) -> list[str]:
    """Return the arguments of a class of modules that are not ``kept`` and whose networks have ``weights``."""
    with_weights = {key.partition(".")[0] for key in weights}
    return sorted((constructor_arguments(cls) & with_weights) - kept.keys())


def _constructor_calls(module: nn.Module, frame: FrameType) -> list[dict[str, Any]]:
    """Return the arguments of each constructor that runs for ``module``, from the one of ``frame`` to the outermost."""
    found: list[dict[str, Any]] = []
    current: FrameType | None = frame
    while current is not None and current.f_code.co_name == "__init__":
        names, _, keywords, values = inspect.getargvalues(current)
        if not names or values.get(names[0]) is not module:
            break
        found.append({name: values[name] for name in names[1:]} | (values[keywords] if keywords else {}))
        current = current.f_back
    return found


def class_path(cls: type) -> str:
    """Return the import path of ``cls``; of a class of this project the shortest one, which a move does not change."""
    parts = cls.__module__.split(".")
    for depth in range(1, len(parts) if parts[0] in OWN_PACKAGES else 0):
        package = ".".join(parts[:depth])
        offered = getattr(sys.modules.get(package), "__all__", ())
        if cls.__qualname__ in offered and getattr(sys.modules[package], cls.__qualname__) is cls:
            return f"{package}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def _portable(value: Any) -> Any:
    """Return ``value`` as plain values. Raises ValueError where that is not possible."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_portable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _portable(item) for key, item in value.items()}
    if isinstance(value, nn.Module):
        return portable_network(value)
    if callable(value):
        return _portable_factory(value)
    raise ValueError(f"{type(value).__name__} is not a plain value")


def portable_network(network: nn.Module) -> dict[str, Any]:
    """Return class path and arguments that build such a network again. Raises ValueError where that is not possible."""
    cls = type(network)
    if "<locals>" in cls.__qualname__:
        raise ValueError(f"{cls.__qualname__} cannot be imported")
    if isinstance(network, LightningModule) and "_class_path" in network.hparams:  # a module keeps them itself
        init_args = {name: value for name, value in network.hparams.items() if not name.startswith("_")}
        if unknown := missing_networks(cls, init_args, network.state_dict()):
            raise ValueError(f"{cls.__name__} does not keep its argument {unknown[0]}")
        return {"class_path": network.hparams["_class_path"], "init_args": init_args}
    given = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"{cls.__name__} takes any arguments")
        value = getattr(network, name, parameter.default)
        if value is parameter.empty:
            raise ValueError(f"{cls.__name__} does not keep its argument {name}")
        if value is not parameter.default:
            given[name] = value
    init_args = {name: _portable(value) for name, value in given.items()}
    if _shapes(_twin(cls, given)) != _shapes(network):
        raise ValueError(f"{cls.__name__} was built with arguments that it does not keep")
    return {"class_path": class_path(cls), "init_args": init_args}


def _twin(cls: type[nn.Module], given: dict[str, Any]) -> nn.Module:
    """Return another network of ``cls``, without memory for its weights where its constructor reads none of them."""
    with torch.random.fork_rng(devices=[]):  # building a second one must not change the first one's run
        try:
            with torch.device("meta"):
                return cls(**given)
        except Exception:  # whatever a constructor does with the values of its tensors, it can do on the CPU
            return cls(**given)


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


def _portable_factory(factory: Any) -> dict[str, Any]:
    """Read class and settings off the optimizer, or the schedule, that ``factory`` makes of a throw-away one."""
    parameters = [nn.Parameter(torch.zeros(1))]
    for argument in (parameters, torch.optim.SGD(parameters, lr=1.0)):
        try:
            made = factory(argument)
        except Exception:  # any callable can stand here; only those that make one of the two are portable
            continue
        if isinstance(made, torch.optim.Optimizer):
            found = made.defaults
        elif isinstance(made, torch.optim.lr_scheduler.LRScheduler):
            found = {name: value for name, value in vars(made).items() if name not in ("optimizer", "last_epoch")}
        else:
            continue
        accepted = inspect.signature(type(made)).parameters
        # All of them: what is left out would be filled in from the module's own default, of another class perhaps.
        settings = {name: _portable(value) for name, value in found.items() if name in accepted}
        return {"class_path": class_path(type(made)), "init_args": settings}
    raise ValueError("neither an optimizer factory nor a schedule factory")
