"""The model on disk: LiteRT, TensorFlow graphs, its description and its card.

It imports from evaluation and the folders before it.
"""
