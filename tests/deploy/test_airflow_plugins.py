"""The pages of validation results and of reports in Airflow's UI, in a separate process."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKING = """
import json
from pathlib import Path
from airflow.configuration import conf
from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import get_fastapi_plugins
from fastapi.testclient import TestClient
(plugin,), _ = get_fastapi_plugins()
client = TestClient(plugin["app"])
answers = {"prefix": plugin["url_prefix"]}
answers["strangers"] = [client.get(path).status_code for path in ("/validations", "/reports")]
answers["other"] = [client.get(path).status_code for path in ("/", "/docs", "/openapi.json", "/../x")]
plugin["app"].dependency_overrides[get_user] = lambda: "a user"
answers["empty"] = client.get("/validations").text
(Path(conf.get("logging", "base_log_folder")) / "waybill_validations.html").write_text("<!doctype html><p>build 3")
page = client.get("/validations")
answers["no_reports"] = client.get("/reports").text
(Path(conf.get("logging", "base_log_folder")) / "waybill_reports.html").write_text("<!doctype html><p>reports")
answers["reports"] = client.get("/reports").text
answers |= {"status": page.status_code, "type": page.headers["content-type"], "text": page.text}
print(json.dumps(answers))
"""


def ask(home: Path, logs: Path) -> dict:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
    }
    done = subprocess.run([sys.executable, "-c", ASKING], env=environment, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_only_a_user_can_read_the_pages(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    answers = ask(tmp_path, logs)
    assert answers["prefix"] == "/waybill"
    assert answers["strangers"] == [401, 401] and answers["other"] == [404, 404, 404, 404]
    assert "waybill status --page FILE" in answers["empty"]
    assert "waybill report page --output FILE" in answers["no_reports"]
    assert answers["reports"] == "<!doctype html><p>reports"
    assert answers["status"] == 200 and answers["type"].startswith("text/html")
    assert answers["text"] == "<!doctype html><p>build 3"
