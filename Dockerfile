# One image per service, from one base: docker build --target gateway|worker|scorer|mlflow .
#
# Versions are those of requirements/cpu.txt. Where torch is needed, TORCH_INDEX says which build: the CPU one by default;
# for GPUs say none (the package index has the CUDA build) or name https://download.pytorch.org/whl/cu130.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin ringtrue \
 && install --directory --owner ringtrue --mode 0750 /data /models
WORKDIR /app
COPY requirements/cpu.txt requirements/cpu.txt
RUN pip install setuptools==84.2.1

# What an image installs changes seldom, our code often: dependencies first, then ourselves without any. A target comes
# right after what it stands on: the classic builder makes every stage that is written before the one it is asked for.
FROM base AS gateway-packages
COPY pyproject.toml ./
COPY docker/extras.py docker/extras.py
RUN python3 docker/extras.py gateway pins > wanted.txt \
 && pip install --constraint requirements/cpu.txt --requirement wanted.txt

FROM gateway-packages AS gateway
COPY . .
RUN pip install --no-deps --no-build-isolation .
USER ringtrue
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
  CMD ["python3", "docker/healthy.py", "http://127.0.0.1:8000/readyz"]
CMD ["python3", "-m", "services.gateway", "--host", "0.0.0.0"]

FROM base AS mlflow
RUN pip install --constraint requirements/cpu.txt mlflow "psycopg[binary]"
COPY docker/healthy.py docker/healthy.py
RUN install --directory --owner ringtrue --mode 0750 /artifacts
USER ringtrue
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python3", "docker/healthy.py", "http://127.0.0.1:5000/health"]
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]

FROM base AS worker-packages
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml ./
COPY docker/extras.py docker/extras.py
RUN python3 docker/extras.py worker pins > wanted.txt \
 && pip install $([ "$TORCH_INDEX" = none ] || echo "--extra-index-url $TORCH_INDEX") --constraint requirements/cpu.txt --requirement wanted.txt

FROM worker-packages AS worker
COPY . .
RUN pip install --no-deps --no-build-isolation .
USER ringtrue
ENV RINGTRUE_ALIVE=/tmp/alive
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 CMD ["python3", "docker/healthy.py", "/tmp/alive"]
CMD ["python3", "-m", "services.worker"]

# What is published as source only is built where there is a compiler, and not in the image that runs.
FROM base AS wheels
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ python3-dev \
 && pip wheel --no-deps --wheel-dir /wheels "$(grep ^pyworld== requirements/cpu.txt)"

FROM base AS scorer-packages
COPY --from=wheels /wheels /wheels
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml ./
COPY docker/extras.py docker/extras.py
RUN python3 docker/extras.py scorer > wanted.txt \
 && pip install --find-links /wheels $([ "$TORCH_INDEX" = none ] || echo "--extra-index-url $TORCH_INDEX") --constraint requirements/cpu.txt --requirement wanted.txt

FROM scorer-packages AS scorer
COPY . .
RUN pip install --no-deps --no-build-isolation .
USER ringtrue
ENV RINGTRUE_ALIVE=/tmp/alive OMP_NUM_THREADS=1
HEALTHCHECK --interval=5s --timeout=3s --start-period=120s --retries=6 CMD ["python3", "docker/healthy.py", "/tmp/alive"]
CMD ["python3", "-m", "services.scorer"]
