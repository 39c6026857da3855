"""A chunk becomes a picture: the filter bank, the transform, the JPG and its variations.

It imports from audio and the folders before it.
"""
