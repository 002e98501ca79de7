"""Programs as kernels: products of matrices and loops over entries, on buffers that are planned ahead."""
