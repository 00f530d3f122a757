"""CPU formulations: cells with backward passes of their own, and operators that are only faster there.

May be imported by the table in `layers/formulations.py` alone; each computes what the standard formulation of its layer
does. They import standard formulations at most.
"""
