"""Classes heard in a background: mixtures of pictures to learn from, a score for each class against the rest,
what rises out of the sound around, and the pauses in it.

It imports from training and the folders before it.
"""
