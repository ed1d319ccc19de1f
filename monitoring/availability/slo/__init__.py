"""Service level objectives: how much may fail, how much did, and how fast what may fail is used up."""
