"""Template tags of the fleet's pages."""
