"""What there is to learn from: folders, tables, the index of the pictures, and checks of it all.

It imports from spectrogram and the folders before it.
"""
