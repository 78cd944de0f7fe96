"""Which variables a host of models gets.

Owns the list. It is an allow-list, because the secrets of a service (tokens, passwords, addresses) are in variables
that others name, and may rename. A host's home and temporary folder are its own room, so what libraries keep on disk
stays there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # else onnxruntime stores what it would send, in the home and the temporary folder
}
"""What a host gets in addition, so that libraries report at once what is missing instead of trying to download it."""

ALLOWED: Mapping[str, str] = {
    "where programs and libraries are": "PATH LD_LIBRARY_PATH LD_PRELOAD PYTHONPATH ESPEAK_DATA_PATH",
    "language and time": "LANG LANGUAGE TZ LC_ALL LC_ADDRESS LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT "
    "LC_MESSAGES LC_MONETARY LC_NAME LC_NUMERIC LC_PAPER LC_TELEPHONE LC_TIME",
    "how Python runs": "PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONUTF8 PYTHONIOENCODING "
    "PYTHONFAULTHANDLER PYTHONWARNINGS PYTHONSAFEPATH",
    "which GPU, and how it is used": "CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CUDA_LAUNCH_BLOCKING CUDA_MODULE_LOADING "
    "CUDA_DEVICE_MAX_CONNECTIONS CUDA_HOME CUDA_PATH CUBLAS_WORKSPACE_CONFIG NVIDIA_VISIBLE_DEVICES "
    "NVIDIA_DRIVER_CAPABILITIES NVIDIA_TF32_OVERRIDE HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES "
    "HSA_OVERRIDE_GFX_VERSION PYTORCH_CUDA_ALLOC_CONF PYTORCH_ALLOC_CONF TORCH_CUDA_ARCH_LIST",
    "how many threads, and which memory": "OMP_NUM_THREADS OMP_WAIT_POLICY OMP_PROC_BIND OMP_PLACES OMP_SCHEDULE "
    "OMP_DYNAMIC OPENBLAS_NUM_THREADS OPENBLAS_CORETYPE MKL_NUM_THREADS MKL_DYNAMIC MKL_CBWR "
    "MKL_ENABLE_INSTRUCTIONS KMP_AFFINITY KMP_BLOCKTIME KMP_DUPLICATE_LIB_OK GOMP_CPU_AFFINITY NUMBA_NUM_THREADS "
    "NUMEXPR_NUM_THREADS TOKENIZERS_PARALLELISM TORCH_FORCE_WEIGHTS_ONLY_LOAD ATEN_CPU_CAPABILITY MALLOC_ARENA_MAX "
    "MALLOC_TRIM_THRESHOLD_ GLIBC_TUNABLES",
    "whose it is": "STACK_OF_RINGTRUE",
    "what Windows needs": "SYSTEMROOT WINDIR COMSPEC PATHEXT",
}
"""Purpose -> allowed names. None of them ends like the name of a secret."""

_TOLD_INSTALLERS = """
HOME USER TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME NETRC SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE
CURL_CA_BUNDLE HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy CC CXX CFLAGS
CXXFLAGS LDFLAGS CPPFLAGS PKG_CONFIG_PATH MAX_JOBS
"""
_OF_INSTALLERS = ("PIP_", "UV_", "CMAKE_", "GIT_")
_NAMES = frozenset(" ".join(ALLOWED.values()).split())
_OWN = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")


def is_allowed(name: str) -> bool:
    """Return whether a host gets this variable."""
    return name in _NAMES


def for_installer(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of ``environ`` for a program that downloads and builds packages, which runs their authors' code.

    That is where packages come from and how they are compiled, and nothing secret of a service.
    """
    return {
        name: value
        for name, value in environ.items()
        if is_allowed(name) or name in _TOLD_INSTALLERS.split() or name.startswith(_OF_INSTALLERS)
    }


def for_host(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables of a host. ``home``: the folder that it may write to."""
    told = {name: value for name, value in environ.items() if is_allowed(name)}
    if "PYTHONPATH" in told:  # a relative or empty entry means the current folder, which is another one in the host
        told["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, told["PYTHONPATH"].split(os.pathsep))))
    return {**told, **dict.fromkeys(_OWN, str(home)), **OFFLINE}
