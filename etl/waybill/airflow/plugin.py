"""Shows the reports and the validation results in Airflow's UI: entries in the navigation.

The tasks write the pages into the folder of the logs, which all processes can read. So the API server needs no access
to the warehouse. Airflow does not protect pages of plugins by itself: these require a user.
"""

from pathlib import Path

from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

NOT_YET = (
    "<!doctype html><title>{title}</title><p>This server finds no page yet. "
    "<code>waybill {command} FILE</code> writes the page from the warehouse.</p>"
)

app = FastAPI(title="Waybill", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/validations", dependencies=[Depends(get_user)])
def validations() -> HTMLResponse:
    """Returns the page with the results of the newest loads and builds."""
    return _page("waybill_validations.html", "Validation results", "status --page")


@app.get("/reports", dependencies=[Depends(get_user)])
def reports() -> HTMLResponse:
    """Returns the page of the reports, as of the last build."""
    return _page("waybill_reports.html", "Message reports", "report page --output")


def _page(name: str, title: str, command: str) -> HTMLResponse:
    file = Path(conf.get("logging", "base_log_folder")) / name
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    page = file.read_text() if file.exists() else NOT_YET.format(title=title, command=command)
    return HTMLResponse(page, headers=headers)


class WaybillPages(AirflowPlugin):
    """Adds the pages to the UI."""

    name = "waybill_pages"
    fastapi_apps = [{"app": app, "url_prefix": "/waybill", "name": "waybill"}]
    external_views = [
        {
            "name": "Validation results",
            "href": "/waybill/validations",
            "destination": "nav",
            "category": "browse",
            "url_route": "validations",
        },
        {
            "name": "Message reports",
            "href": "/waybill/reports",
            "destination": "nav",
            "category": "browse",
            "url_route": "reports",
        },
    ]
