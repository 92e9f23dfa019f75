"""From a source to results: capture thread, inference thread, and the one crossing into the GUI."""
