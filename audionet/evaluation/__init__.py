"""How good a classifier is on recordings that it was not trained on.

It imports from training and the folders before it.
"""
