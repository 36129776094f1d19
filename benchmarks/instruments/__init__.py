"""What programs measure with: clocks, peaks of memory, hand-written loops, readers of images."""
