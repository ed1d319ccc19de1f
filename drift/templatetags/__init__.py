"""Template tags of the pages about drift."""
