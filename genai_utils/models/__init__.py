"""Models, one family a file: read each from top to bottom."""
