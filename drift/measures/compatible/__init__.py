"""The recipe `evidently-compatible`: the scores of Evidently 0.7.23, its weaknesses included, without Evidently."""
