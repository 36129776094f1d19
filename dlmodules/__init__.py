"""Lightning modules of the systems in three deep-learning books and a lab course, and the networks they train.

In docstrings and configurations ``atienza 8.1.1`` names the place in a book that a system comes from:

- ``atienza``, then the listing: Rowel Atienza, Advanced Deep Learning with Keras. Packt, first edition, 2018, ISBN
  978-1-78862-941-6. https://www.packtpub.com/big-data-and-business-intelligence/advanced-deep-learning-keras
- ``vasilev``, then chapter and system: Ivan Vasilev, Daniel Slater, Gianmario Spacagna, Peter Roelants, Valentino
  Zocca, Python Deep Learning. Packt, second edition, 2019, ISBN 978-1-78934-846-0.
  https://www.packtpub.com/product/python-deep-learning-second-edition/9781789348460
- ``foster``, then F, chapter and system: David Foster, Generative Deep Learning: Teaching Machines to Paint, Write,
  Compose, and Play. O'Reilly, first edition, 2019, ISBN 978-1-4920-4194-8.
  https://www.oreilly.com/library/view/generative-deep-learning/9781492041931/
- ``lab``, then L and the exercise: Lab 3: reinforcement learning, text and GANs, a student's report for the course
  UMU54907, spring 2019. https://github.com/SylGrafe/RepoDl01

The public names stand in ``__init__.pyi``; each is imported when it is first used, so that
``import dlmodules`` costs nothing. A class becomes public, and enters the command line, the
listing and the tests of all systems, by its line there.
"""

import lazy_loader

from dlmodules.checkpoints.moved import find_moved

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
find_moved()
