"""A fake API server of Airflow."""

import pytest
from pytest_httpserver import HTTPServer


@pytest.fixture
def api(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request("/auth/token", "POST", json={"username": "admin", "password": "right"}).respond_with_json(
        {"access_token": "t"}, status=201
    )
    return httpserver
