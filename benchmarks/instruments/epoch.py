"""What a hand-written loop is: a function that trains for one epoch."""

from collections.abc import Callable

Epoch = Callable[[], None]
