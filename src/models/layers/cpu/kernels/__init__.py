"""CPU formulations by kernels of our own: each Python module beside the C++ source whose kernels it calls.

The sources become one library (`src/runtime/kernel_library.py`), whose path the cells are given. They take float32, in
graph and PyNative mode. They gain by joining steps, between which the framework writes and reads memory.
"""
