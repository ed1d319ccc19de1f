"""What others post to us, read into `Posted`: no model is touched here."""
