"""Shows the validation results in Airflow's UI: an entry in the navigation; the documentation of the DAGs links to it.

The tasks that validate write the page into the folder of the logs, which all processes can read. So the API server
needs no access to the warehouse. Airflow does not protect pages of plugins by itself: this one requires a user.
"""

from pathlib import Path

from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

NOT_YET = (
    "<!doctype html><title>Validation results</title><p>This server finds no page of validation results yet. "
    "<code>waybill status --page FILE</code> writes the page from the warehouse.</p>"
)

app = FastAPI(title="Waybill", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/validations", dependencies=[Depends(get_user)])
def validations() -> HTMLResponse:
    """Returns the page with the results of the newest loads and builds."""
    file = Path(conf.get("logging", "base_log_folder")) / "waybill_validations.html"
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(file.read_text() if file.exists() else NOT_YET, headers=headers)


class WaybillPages(AirflowPlugin):
    """Adds the page to the UI."""

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
