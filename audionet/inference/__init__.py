"""A clip becomes classes: scores, timelines, what a microphone hears, files as they arrive.

It imports from model and the folders before it.
"""
