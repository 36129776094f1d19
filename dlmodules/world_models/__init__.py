"""World models: networks that predict what comes next, as mixtures of Gaussians, and act or write by it."""
