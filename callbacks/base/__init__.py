"""What callbacks share: when to draw, pictures, where they go."""
