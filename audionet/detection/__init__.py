"""Classes heard in a background: mixtures of pictures to learn from, and a score for each class against the rest.

It imports from training and the folders before it.
"""
