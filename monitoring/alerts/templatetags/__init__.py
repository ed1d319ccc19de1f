"""Template tags of the pages about alerts."""
