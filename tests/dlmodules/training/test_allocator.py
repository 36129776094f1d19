"""Freed memory stays in the process: fewer page faults in a step, and off by an environment variable."""

import ctypes
import subprocess
import sys

import pytest

from dlmodules.training import allocator

GLIBC = hasattr(ctypes.CDLL(None), "gnu_get_libc_version") if sys.platform == "linux" else False

PROGRAM = """
import resource, sys
import numpy as np
from dlmodules.training import keep_freed_memory

print(keep_freed_memory())
def step():
    for _ in range(4):
        np.ones(8_000_000)  # 64 MB, freed at once: above what glibc keeps by itself
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(switch):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), allocator.ENVIRONMENT_VARIABLE: switch},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    raised, faults = done.stdout.split()
    return raised == "True", int(faults)


@pytest.mark.skipif(not GLIBC, reason="no glibc here")
def test_freed_blocks_are_not_faulted_in_again():
    raised, kept = run("1")
    assert raised
    off, returned = run("0")
    assert not off
    # At least a fault for each huge page of 2 MiB; 512 times as many where pages are small.
    assert returned >= 5 * 4 * 64_000_000 // 2**21
    assert kept < 0.05 * returned


def test_silent_without_glibc(monkeypatch):
    class NoGlibc:
        def __getattr__(self, name):
            raise AttributeError(name)

    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: NoGlibc())
    assert allocator.keep_freed_memory() is False

    def no_library(_):
        raise OSError

    monkeypatch.setattr(allocator.ctypes, "CDLL", no_library)
    assert allocator.keep_freed_memory() is False
