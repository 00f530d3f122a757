"""Exportable formulations: the layers in operators that ONNX has, with no literal batch size in the graph.

May be imported by the table in `layers/formulations.py` alone; each computes what the standard formulation of its layer
does, forward. They import standard formulations at most.
"""
