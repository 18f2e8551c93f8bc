# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /srv/webcare
COPY requirements.lock ./
RUN python -m venv /opt/webcare \
 && /opt/webcare/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY app ./app
COPY migrations ./migrations
COPY routing_rules ./routing_rules
# Editable: the package reads migrations and rules from beside itself, so it stays where it is copied to below.
# Compiled here, as the user below may not write beside it; by hash, so that the time of a build changes nothing.
RUN /opt/webcare/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && /opt/webcare/bin/python -m compileall -q --invalidation-mode unchecked-hash app migrations

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin webcare \
 && install -d -o webcare -g webcare -m 0700 /data
COPY --from=build /opt/webcare /opt/webcare
COPY --from=build /srv/webcare /srv/webcare
ENV PATH=/opt/webcare/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WEBCARE_DATA_DIR=/data \
    WEBCARE_HOST=0.0.0.0 \
    WEBCARE_PUBLIC_URL=http://127.0.0.1:8080
# By number: Kubernetes cannot tell of a name whether it is root.
USER 10001
WORKDIR /srv/webcare
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('WEBCARE_PORT', '8080')}/readyz\", timeout=2)"]
CMD ["webcare", "up"]
