"""The command line: what ``python train.py`` and ``dlmodules`` do."""
