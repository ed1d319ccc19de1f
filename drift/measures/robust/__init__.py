"""The recipe `robust`, the default: buckets fixed by the reference, an effect that decides, a p-value that gates."""

RECIPE = "robust"
