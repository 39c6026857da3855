"""Sound in: recordings and microphones become samples, samples become chunks.

It imports from system and parallel.
"""
