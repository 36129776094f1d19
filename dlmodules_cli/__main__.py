"""``python -m dlmodules_cli``: the command ``dlmodules`` of the Python at hand."""

from dlmodules_cli.main import main

if __name__ == "__main__":
    main()
