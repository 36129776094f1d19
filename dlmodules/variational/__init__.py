"""What variational systems share: the terms of the evidence lower bound."""
