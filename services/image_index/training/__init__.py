"""An encoder is trained, calibrated and written as a folder that is served; and the gate before it is fitted."""
