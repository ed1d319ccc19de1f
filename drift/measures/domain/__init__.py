"""Whether a classifier can tell the window's texts or embeddings from the reference's: the AUC of that classifier."""
