"""CarRacing with a fast camera: Gymnasium's track, car and rewards, drawn forty times as fast."""
