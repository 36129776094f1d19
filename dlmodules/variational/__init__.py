"""What variational systems share: the terms of the evidence lower bound, and the likelihood that it bounds."""
