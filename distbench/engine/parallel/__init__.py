"""Runs blocks of queries on threads, processes and Dask workers."""
