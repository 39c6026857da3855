"""The HTML report on a training, on an evaluation, or on what was labelled.

It imports from plots and the folders before it.
"""
