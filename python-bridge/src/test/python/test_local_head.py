# SPDX-License-Identifier: Apache-2.0
"""The head of one's own: what is spared of Ray's, and that a Ray that knows a part by another name still starts."""

from __future__ import annotations

from sglang_ray import local_head


class Node:
    """As much of Ray's class as is looked at; the log monitor's method is missing."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start_gcs_server(self) -> None:
        self.started.append("gcs")

    def start_monitor(self) -> None:
        self.started.append("monitor")

    def start_ray_client_server(self) -> None:
        self.started.append("client server")

    def start_api_server(self, *, include_dashboard: bool, raise_on_failure: bool) -> None:
        self.started.append(f"API server {include_dashboard} {raise_on_failure}")


def test_spares_the_parts_that_are_there() -> None:
    assert local_head.spare(Node) == ["start_monitor", "start_ray_client_server", "start_api_server"]
    node = Node()
    node.start_gcs_server()
    node.start_monitor()
    node.start_ray_client_server()
    node.start_api_server(include_dashboard=False, raise_on_failure=False)
    assert node.started == ["gcs"]
