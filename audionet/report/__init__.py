"""The HTML report on a training or an evaluation.

It imports from plots and the folders before it.
"""
