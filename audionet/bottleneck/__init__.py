"""A picture becomes features: the network's lower part, run once and kept in a cache.

It imports from annotation and the folders before it.
"""
