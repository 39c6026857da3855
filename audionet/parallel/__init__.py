"""The same job on the threads of this process or on a Dask cluster.

It imports from system.
"""
