# The image of every service of docker-compose.yml but Postgres. It contains no secrets: they are in the environment of a
# container. Base images are pinned by version; pin them by digest when you build for production. Only the target
# `simulated` contains the simulator.

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /build
COPY bootstrap.lock image.lock ./
RUN python -m venv tools \
    && tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r bootstrap.lock \
    && tools/bin/uv venv /app/venv \
    && tools/bin/uv pip install --no-cache --compile-bytecode --python /app/venv --require-hashes -r image.lock
COPY pyproject.toml README.md LICENSE ./
COPY etl etl
COPY sql sql
COPY expectations expectations
COPY dags dags
RUN tools/bin/uv build --wheel --no-build-isolation --offline --python tools --out-dir out \
    && tools/bin/uv pip install --no-cache --compile-bytecode --python /app/venv --no-deps --no-index out/*.whl \
    && mv /app/venv/lib/python3.11/site-packages/waybill/simulator simulator

FROM python:3.11.14-slim-bookworm AS production
ENV PATH=/app/venv/bin:$PATH \
    PYTHONPATH=/app:/app/deploy/airflow_config \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --system --uid 50000 --user-group --no-create-home --shell /usr/sbin/nologin waybill \
    && install --directory --owner=waybill --group=waybill --mode=0750 \
        /data /data/airflow /data/access /data/inbox /data/landing /data/logs
WORKDIR /app
COPY --from=packages /app/venv venv
COPY dags dags
COPY deploy deploy
RUN python -m compileall -q dags deploy
USER waybill

FROM production AS simulated
COPY --from=packages /build/simulator venv/lib/python3.11/site-packages/waybill/simulator

# what is built where no target is named
FROM production
