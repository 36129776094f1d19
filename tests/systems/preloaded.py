"""Imports all that a run may import of this project, whose packages otherwise wait until they are asked."""

import callbacks
import datamodules
import dlmodules

NAMES = [getattr(package, name) for package in (callbacks, datamodules, dlmodules) for name in package.__all__]
