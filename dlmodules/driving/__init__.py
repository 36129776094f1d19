"""Driving: networks that look at the road and steer."""
