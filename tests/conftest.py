"""Settings that every test shares: the processor's convolution kernels are chosen before MindSpore loads."""

from src.runtime.device import prepare_process

prepare_process()
