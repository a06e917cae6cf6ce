"""What comes in, checked once: arrays, frames, files, AnnData, batches, blocks of rows."""
