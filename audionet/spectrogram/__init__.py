"""A chunk becomes a picture: the filter bank, the transform, the JPG and its augmentations; steady noise is reduced.

It imports from audio and the folders before it.
"""
