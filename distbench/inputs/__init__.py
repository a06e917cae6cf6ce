"""Reads and checks inputs: arrays, frames, files, AnnData, batches, blocks of rows."""
