"""The exception for mistakes of the user."""


class UserError(Exception):
    """A mistake that the user can correct. Its message is one line that says what to change.

    The command line prints the message and exits with code 2; any other exception is a bug and
    keeps its traceback.
    """


def first_line(error: BaseException) -> str:
    """Return the first line of what ``error`` says, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def install_command(extra: str) -> str:
    """Return how the packages of an extra such as ``app`` are installed: this package is on no index."""
    return f'pip install ".[{extra}]" in a checkout of dlmodules'
