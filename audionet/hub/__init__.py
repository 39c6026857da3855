"""Modules of TensorFlow Hub: downloaded, unpacked and turned into networks that LiteRT runs.

It imports from bottleneck and the folders before it.
"""
