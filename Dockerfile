# Folio as an image: `docker build --tag folio .` in a clone. docs/guides/containers.md tells how it is run.
#
# The first stage builds the wheel and installs it with what it needs, each package by its hash. The second one has that
# and nothing that builds: no compiler, no pip of its own, no clone.

# Folio's tests run on this release of Python. Debian's releases go with it: bookworm has PostgreSQL 15.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
# extras.txt: with object storage, Redis and Sentry. run.txt: without.
ARG REQUIREMENTS=extras.txt
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/folio
COPY requirements/ requirements/
RUN python -m pip --python /opt/folio/bin/python install --require-hashes --requirement requirements/${REQUIREMENTS}
COPY pyproject.toml LICENSE ./
COPY docs/package.md docs/
COPY folio/ folio/
# The wheel is built by the flit_core that was installed by its hash just now; nothing is asked of an index.
RUN /opt/folio/bin/python -m flit_core.wheel --outdir dist . \
    && python -m pip --python /opt/folio/bin/python install --no-deps --no-index dist/*.whl

FROM python:${PYTHON}
# ffmpeg finds the pictures of films; pg_dump, for backups, is of PostgreSQL 15, and refuses a newer server's database.
# Folio runs without either: --build-arg PACKAGES= leaves them out, which makes the image much smaller.
ARG PACKAGES="ffmpeg postgresql-client"
# Debian's security updates are taken as they are when the image is built, so no version is named.
# hadolint ignore=DL3008,SC2086
RUN if [ -n "$PACKAGES" ]; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends $PACKAGES \
        && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log; \
    fi
# The number is fixed, so that a volume's owner is the same in every image. The folders are what new volumes are like.
RUN groupadd --gid 10001 folio \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin folio \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data /backups
COPY --from=build /opt/folio /opt/folio
ENV PATH=/opt/folio/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FOLIO_DATA_DIR=/data
LABEL org.opencontainers.image.title="Folio" \
      org.opencontainers.image.description="A headless portfolio backend" \
      org.opencontainers.image.licenses="MIT AND OFL-1.1 AND Apache-2.0"
USER 10001:10001
WORKDIR /data
# All that Folio writes; beside it only /tmp has to be writable.
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# It asks nothing of anything: a database that is away makes no container unhealthy, since a restart mends no database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=4 \
    CMD ["python", "-I", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["folio"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
