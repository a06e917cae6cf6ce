"""How blocks of queries are spread over threads, processes and Dask workers."""
