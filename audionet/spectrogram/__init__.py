"""A chunk becomes a picture: the filter bank, the transform, the JPG and its augmentations.

It imports from audio and the folders before it.
"""
