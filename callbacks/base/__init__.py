"""What callbacks share: when to plot, how to ask a module, pictures and where they go."""
