"""The one exception that stands for a mistake of the person at the keyboard."""


class UserError(Exception):
    """A mistake the user can mend. Its message is one line that says what to change.

    The command line prints the message and exits with code 2; any other exception is a bug and
    keeps its traceback.
    """
