"""What a driver saw and how it steered: recorded drives, and roads that are drawn."""
