"""Commands behind the entry points and options: evaluate, export, predict, convert, and looks at data and networks.

May import everything below; nothing but the entry points imports commands.
"""
