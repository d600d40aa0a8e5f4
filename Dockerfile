# The image of every service of docker-compose.yml but Postgres. Nothing secret goes into it: secrets come with the
# environment of a container. Base images are pinned by version; pin them by digest where you build for production.

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /app
COPY bootstrap.lock requirements.lock ./
RUN python -m venv venv \
    && venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r bootstrap.lock \
    && venv/bin/uv pip install --no-cache --compile-bytecode --python venv/bin/python --require-hashes -r requirements.lock

FROM python:3.11.14-slim-bookworm
ENV PATH=/app/venv/bin:$PATH \
    PYTHONPATH=/app:/app/deploy/airflow_config \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --system --uid 50000 --user-group --no-create-home --shell /usr/sbin/nologin waybill \
    && install --directory --owner=waybill --group=waybill --mode=0750 \
        /data /data/airflow /data/access /data/inbox /data/landing /data/logs
WORKDIR /app
COPY --from=packages /app/venv venv
COPY pyproject.toml README.md LICENSE ./
COPY etl etl
COPY sql sql
COPY expectations expectations
COPY dags dags
COPY deploy deploy
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . \
    && python -m compileall -q etl dags deploy
USER waybill
