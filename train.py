"""Train, validate, test, sample and list the systems of the package: ``python train.py --help``."""

import sys

from dlmodules_cli.main import main

if __name__ == "__main__":
    main(sys.argv[1:])
