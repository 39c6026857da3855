"""Tables as people and tools have them: their text, what their columns say, and where their recordings are.

It imports from dataset and the folders before it.
"""
