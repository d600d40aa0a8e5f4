"""Validation results in Airflow's UI: an entry of the navigation, and the link in the documents of the DAGs.

The tasks that validate write the page into the folder of the logs, which all processes see; so the api-server needs
no access to the warehouse. Airflow guards no page of a plugin by itself: this one asks for a user.
"""

from pathlib import Path

from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

NOT_YET = (
    "<!doctype html><title>Validation results</title><p>No task has validated anything yet where this server can see "
    "it. <code>waybill status --page FILE</code> writes the page from the warehouse.</p>"
)

app = FastAPI(title="Waybill", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/validations", dependencies=[Depends(get_user)])
def validations() -> HTMLResponse:
    """What the suites found in the newest loads and builds."""
    file = Path(conf.get("logging", "base_log_folder")) / "waybill_validations.html"
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(file.read_text() if file.exists() else NOT_YET, headers=headers)


class WaybillPages(AirflowPlugin):
    """What Waybill adds to the UI."""

    name = "waybill_pages"
    fastapi_apps = [{"app": app, "url_prefix": "/waybill", "name": "waybill"}]
    external_views = [
        {
            "name": "Validation results",
            "href": "/waybill/validations",
            "destination": "nav",
            "category": "browse",
            "url_route": "validations",
        }
    ]
