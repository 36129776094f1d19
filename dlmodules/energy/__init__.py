"""Energy models: Boltzmann machines and what is stacked of them."""
