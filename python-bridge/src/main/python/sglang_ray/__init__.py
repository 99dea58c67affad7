# SPDX-License-Identifier: Apache-2.0
"""The Python side of sglang-ray: what runs next to, or as, an SGLang process."""

__version__ = "0.1.0"
