"""Tracking assist: corners followed from frame to frame steady the cameras and the scale of the model's depth."""
