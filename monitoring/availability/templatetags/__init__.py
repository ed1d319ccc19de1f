"""Template tags of the pages about availability."""
