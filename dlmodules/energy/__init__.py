"""Energy models: restricted Boltzmann machines and stacks of them."""
