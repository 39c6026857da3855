"""The machine: files, locks, signals, the terminal, TensorFlow's start. Nothing here knows about sound.

It imports from errors alone.
"""
