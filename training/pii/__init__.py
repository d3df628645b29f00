"""Personal data: generated texts with exact spans."""
