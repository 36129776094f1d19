"""``explore``: a page in the browser that decodes, morphs, samples and classifies with a checkpoint."""

import importlib
import importlib.util
import socket
import sys
from pathlib import Path

import yaml
from jsonargparse import Namespace

from callbacks.latents.attribute_file import ATTRIBUTE_FILE, AttributeFile, read_attribute_file
from callbacks.latents.code_file import CODE_FILE, CodeFile, read_code_file
from dlmodules.errors import UserError, install_command
from dlmodules_cli.explore.subject import subject_of
from dlmodules_cli.loading import import_own, load_trained
from dlmodules_cli.options import FIRST_PORT

PORTS = 100


def explore(chosen: Namespace) -> None:
    """Run ``explore`` with its options, until it is interrupted."""
    import_own(chosen.imports)
    module, _ = load_trained(chosen.ckpt_path, chosen.ema)
    path = chosen.ckpt_path
    subject = subject_of(module, find_attributes(path, chosen.attributes), find_codes(path), find_class_names(path))
    if importlib.util.find_spec("gradio") is None:
        raise UserError(f"explore needs gradio: {install_command('app')}")
    port = free_port(chosen.host, chosen.port)
    from dlmodules_cli.explore.page import serve

    serve(subject, chosen.ckpt_path, chosen.host, port)


def find_attributes(ckpt_path: str, given: str | None) -> AttributeFile | None:
    """Read the file of attribute vectors that was given, or the one in the folder of the checkpoint's run.

    Raises:
        UserError: the given file is missing, or the file is none of attribute vectors.
    """
    if given is not None:
        return read_attribute_file(given)
    own = _run_folder(ckpt_path) / ATTRIBUTE_FILE
    return read_attribute_file(own) if own.is_file() else None


def find_codes(ckpt_path: str) -> CodeFile | None:
    """Read the codes of images that ``LatentMap`` left in the run's folder; None where there are none.

    Raises:
        UserError: the file is damaged.
    """
    own = _run_folder(ckpt_path) / CODE_FILE
    return read_code_file(own) if own.is_file() else None


def find_class_names(ckpt_path: str) -> tuple[str, ...]:
    """Return how the data of the checkpoint's run calls its classes; empty where that is not known.

    The run's ``config.yaml`` names the data module. It is not made: its data may not be here. A module of somebody's
    own is not imported either, unless ``--imports`` did.
    """
    config = _run_folder(ckpt_path) / "config.yaml"
    try:
        data = yaml.safe_load(config.read_text(encoding="utf-8"))["data"]
        module, _, name = (data if isinstance(data, str) else data["class_path"]).rpartition(".")
        known = importlib.import_module(module) if module == "datamodules" else sys.modules[module]
        names = getattr(known, name).names
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, ImportError, AttributeError):
        return ()  # only names: the page has numbers instead
    return tuple(map(str, names)) if isinstance(names, tuple) else ()


def _run_folder(ckpt_path: str) -> Path:
    return Path(ckpt_path).resolve().parent.parent


def free_port(host: str, port: int | None) -> int:
    """Return ``port``, or the first free one from 7860 on where it is None.

    Raises:
        UserError: it is busy or out of range, or ``host`` is no address of this computer.
    """
    if port is not None and not 1 <= port <= 65535:
        raise UserError(f"--port is {port}; it must be 1 to 65535")
    asked = [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS)
    for one in asked:
        try:
            family, *_, address = socket.getaddrinfo(host, one, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # As the server does: a port just left is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except socket.gaierror as error:
            raise UserError(f"--host {host}: {error.strerror}") from error
        except OSError as error:
            reason = error.strerror
            continue
        return one
    if port is not None:
        raise UserError(f"cannot listen at {host}:{port}: {reason}; choose another --port, or leave it out")
    raise UserError(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free at {host} ({reason}); give --port")
