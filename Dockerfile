# One image for `movieql serve`, `worker`, `simulate`, `daily-export` and `lambda`.
#
# BASE is anything with Python 3.11+, venv and CA certificates: `bin/image` gives a Debian of its
# own where no registry can be reached. Pin it by digest where you release from.
ARG BASE=python:3.11-slim-bookworm

# What browsers get. Node comes from PyPI with the hashes that every other build takes it by.
FROM ${BASE} AS client
WORKDIR /build
COPY requirements-node.txt ./
RUN python3 -m venv /opt/node \
  && /opt/node/bin/pip install --no-cache-dir --require-hashes --requirement requirements-node.txt
# Node trusts whom the base trusts, and not only whom it came with.
ENV PATH=/opt/node/bin:$PATH \
  NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY client/package.json client/package-lock.json client/.npmrc client/
RUN npm --prefix client ci --no-fund --no-audit
COPY schema/ schema/
COPY client/ client/
RUN npm --prefix client run build

# The virtual environment, at the place where it will be.
FROM ${BASE} AS build
WORKDIR /build
RUN python3 -m venv /opt/movieql
COPY requirements.txt ./
RUN /opt/movieql/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt
# The tools that make the wheel stay behind.
COPY requirements-build.txt ./
RUN python3 -m venv /opt/build \
  && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY movieql/ movieql/
COPY --from=client /build/movieql/web/static/ movieql/web/static/
RUN /opt/build/bin/hatchling build --target wheel \
  && /opt/movieql/bin/pip install --no-cache-dir --no-deps dist/movieql-*.whl \
  && /opt/movieql/bin/pip uninstall --yes setuptools pip

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="movieql" \
  org.opencontainers.image.description="The cheapest price of a movie from unreliable shops" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/movieql /opt/movieql
COPY image/healthcheck.py /opt/movieql/bin/healthcheck
# /data and /tmp are all that is ever written to; Lambda has somebody else's user.
RUN install --directory --owner=10001 --group=10001 --mode=0755 /data
ENV PATH=/opt/movieql/bin:$PATH \
  HOME=/tmp \
  PYTHONDONTWRITEBYTECODE=1 \
  PYTHONUNBUFFERED=1 \
  MOVIEQL_HOST=0.0.0.0
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["movieql"]
CMD ["serve"]
