"""Programs that measure scores and speeds, and the records that they leave: ``python -m benchmarks.run --list``.

``rows/`` says what is measured, as data, a file for each family; ``programs/`` measure it and ``peers/`` are other
frameworks' programs beside ours; ``instruments/`` and ``data/`` are what they measure with and on. A measurement is a
file in ``records/``. ``report/`` makes BENCHMARKS.md, docs/benchmarks, results.csv and the snippets that pages include
of them, all by ``python -m benchmarks.report``; ``python -m benchmarks.learning_curves`` draws the curves of agents. A
new row stands in its family's file and touches no program.
"""
