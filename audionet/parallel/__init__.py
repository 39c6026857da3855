"""The same job on the threads of this process, on processes beside it or on a Dask cluster; and what strangers made,
in processes of its own, with limits.

It imports from system.
"""
