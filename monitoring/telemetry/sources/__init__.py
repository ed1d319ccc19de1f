"""Where samples come from: each source gives raw readings in our own units and knows nothing of the database."""
