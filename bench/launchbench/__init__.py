# SPDX-License-Identifier: Apache-2.0
"""Measures launches, each in namespaces of its own; ``bench/README.md`` says what and how. Standard library only."""
