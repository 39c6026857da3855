"""Pictures for people: plots of clips, contact sheets, axes, and what TensorBoard shows.

It imports from inference and the folders before it.
"""
