"""CarRacing with a fast camera: Gymnasium's track, car and rewards, drawn thirty times as fast."""
