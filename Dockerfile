# Which images run the product? One recipe, two images: the core (router, scheduler, migrations), which has no torch, and the
# worker, built with EXTRAS=judges.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ARG EXTRAS=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PATH=/opt/venv/bin:$PATH
WORKDIR /src
RUN python -m venv /opt/venv
# Dependencies first, against empty packages: an edit of the code does not install them again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir router judges shadow alembic grafana \
 && case ",${EXTRAS}," in *,judges,*) \
      pip install --retries 0 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0 ;; esac \
 && pip install -c constraints.txt ".${EXTRAS:+[${EXTRAS}]}"
COPY router router
COPY judges judges
COPY shadow shadow
COPY alembic alembic
COPY grafana grafana
RUN pip install --no-deps --force-reinstall .

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin shadowtier \
 && install -d -o shadowtier -g shadowtier -m 0750 /var/lib/shadowtier \
 && install -d /etc/shadowtier
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    HF_HUB_OFFLINE=1 \
    OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SHADOW__DATA_DIR=/var/lib/shadowtier
USER shadowtier
WORKDIR /tmp
VOLUME /var/lib/shadowtier
EXPOSE 8080 8081
ENTRYPOINT ["shadow"]
CMD ["--help"]
