"""What drawing samples shares: the device to draw on, labels."""
