"""Programs as kernels: products of matrices and loops over entries, on buffers that are planned ahead."""

from codegen.kernels.build import Kernel, build_kernel

__all__ = ["Kernel", "build_kernel"]
