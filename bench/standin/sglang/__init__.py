# SPDX-License-Identifier: Apache-2.0
"""Stands in for SGLang: with the folder above on PYTHONPATH, whatever starts an engine starts ``stand_in_engine``."""

__version__ = "0.5.23"
