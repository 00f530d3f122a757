"""Commands behind the entry points: evaluate, export, predict, convert, and the inspection of data and networks.

May import all rooms below; only the entry points import commands.
"""
