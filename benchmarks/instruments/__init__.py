"""Instruments of the programs: clocks, peak memory, hand-written loops, classifiers of images."""
