"""Episodes that were played once and are kept: frames, actions, rewards, and what an encoder makes of them."""
