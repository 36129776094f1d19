"""Labels that a module does not take."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.validation.labels import refuse_labels


def test_a_module_that_is_not_conditional_refuses_labels():
    refuse_labels(None, "VAE")
    with pytest.raises(UserError, match="VAE is not conditional: it takes no labels"):
        refuse_labels(torch.zeros(2), "VAE")
