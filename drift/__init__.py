"""The room for models and their drift; what it may import stands in pyproject.toml beside the other rooms."""
