//! Commits against a model: random batches by several authors give the same tree, gap-free.
