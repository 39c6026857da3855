"""Pictures for people: plots of clips, contact sheets, axes.

It imports from inference and the folders before it.
"""
