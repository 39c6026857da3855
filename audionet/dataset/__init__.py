"""What there is to learn from: folders, the index of the pictures, samples, and checks of it all.

It imports from spectrogram and the folders before it.
"""
