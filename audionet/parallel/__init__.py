"""The same job on the threads of this process, on processes beside it or on a Dask cluster.

It imports from system.
"""
