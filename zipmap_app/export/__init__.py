"""Files for other programs: one module per format, all of them written in constant memory."""
