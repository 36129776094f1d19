"""The exception for mistakes of the user."""


class UserError(Exception):
    """A mistake that the user can correct. Its message is one line that says what to change.

    The command line prints the message and exits with code 2; any other exception is a bug and
    keeps its traceback.
    """
