"""Features become a classifier: the split, the discriminant analysis, calibration, what is unknown.

It imports from hub and the folders before it.
"""
