"""Products of matrices as plain loops, in the order in which memory is read row by row."""

from __future__ import annotations

_HEAD = """\
static void {name}(const size_t m, const size_t k, const size_t n, const {{real}} c,
{pad}const {{real}} *restrict A, const {{real}} *restrict B, {{real}} *restrict C,
{pad}const int accumulate) {{{{
    if (!accumulate)
        for (size_t i = 0; i < m*n; i++) C[i] = 0;
"""


def _head(name: str, comment: str) -> str:
    return f"/* {comment} */\n" + _HEAD.format(name=name, pad=" " * (len(name) + 13))


MULTIPLY = {
    (False, False): _head("multiply", "C = c A B (+ C), for A of m x k and B of k x n.") + """\
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < k; l++) {{
            const {real} a = c*A[i*k + l];
            {simd}for (size_t j = 0; j < n; j++) C[i*n + j] += a*B[l*n + j];
        }}
}}""",
    (True, False): _head("multiply_transposed", "C = c A^T B (+ C), for A of k x m and B of k x n.") + """\
    for (size_t l = 0; l < k; l++)
        for (size_t i = 0; i < m; i++) {{
            const {real} a = c*A[l*m + i];
            {simd}for (size_t j = 0; j < n; j++) C[i*n + j] += a*B[l*n + j];
        }}
}}""",
    (False, True): _head("multiply_by_transposed", "C = c A B^T (+ C), for A of m x k and B of n x k.") + """\
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {{
            {real} sum = 0;
            for (size_t l = 0; l < k; l++) sum += A[i*k + l]*B[j*k + l];
            C[i*n + j] += c*sum;
        }}
}}""",
}
"""The functions by which factors are transposed; fields: the type, and a pragma before the inner loop."""
