# Two images, see deploy/README.md:
#   docker build --target cpu  --tag pointsman:cpu .
#   docker build --target rocm --tag pointsman:rocm .

# --- cpu: slim Python with the Triton of nvidia-pytriton ---------------------------------------

# The attention op for the CPU and the compressor's library. This image has a C++ compiler, on the
# same Debian as the next.
FROM python:3.11.14-bookworm AS cpu-op
WORKDIR /src
COPY scripts/build_kernels scripts/fetch_ort_headers scripts/
COPY kernels kernels
RUN python -m venv .venv && scripts/build_kernels -DPOINTSMAN_ROCM=OFF

FROM python:3.11.14-slim-bookworm AS cpu-build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
# Only the lock file first: this layer is kept while the code changes. Wheels alone, so that no
# compiler is needed.
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --no-cache-dir --only-binary=:all: --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY client client
COPY python_backends python_backends
COPY model_repository model_repository
# As a wheel and not editable: the image runs what `pip install` gives, and holds no checkout.
RUN pip install --no-cache-dir hatchling==1.33.0 \
    && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir=/dist . \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps /dist/*.whl \
    && /opt/venv/bin/pip check
# Where `pointsman serve` looks for them.
COPY --from=cpu-op /src/build/kernels/libck_flash_attention.so \
    /src/build/kernels/libpointsman_compressor.so \
    /opt/venv/lib/python3.11/site-packages/pointsman/_server/kernels/

FROM python:3.11.14-slim-bookworm AS cpu
LABEL org.opencontainers.image.title="pointsman" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin pointsman
COPY --from=cpu-build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/pointsman
# HTTP, gRPC, metrics, health.
EXPOSE 8000 8001 8002 8003
# http.client and not urllib: a proxy in the environment must not be asked for 127.0.0.1.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=2 \
    CMD ["python", "-c", "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8003, timeout=3); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["pointsman", "serve", "--host", "0.0.0.0"]

# --- rocm: AMD's Triton with our onnxruntime backend -------------------------------------------

# Packages for the Python 3.12 of AMD's image, laid into a folder: that image needs no pip.
FROM python:3.12.12-slim-bookworm AS rocm-packages
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY deploy/rocm-requirements.lock ./
RUN pip install --no-cache-dir --only-binary=:all: --no-deps --target=/packages \
    -r rocm-requirements.lock
COPY python_backends/pointsman_backends /packages/pointsman_backends

# The attention op for CPU and GPU, where AMD's composable kernel headers are in the base image;
# otherwise for the CPU alone and a line in the build log that says so. Headers of ONNX Runtime,
# CMake and Ninja come from the stage above: nothing is asked of the base image but hipcc.
FROM rocm/tritoninferenceserver:tritoninferenceserver-25.12.amd1_rocm7.2_ubuntu24.04_py3.12 AS rocm-op
COPY kernels /src/kernels
COPY --from=cpu-op /src/build/onnxruntime /src/build/onnxruntime
COPY --from=cpu-op /src/.venv/lib/python3.11/site-packages/cmake/data /opt/cmake
COPY --from=cpu-op /src/.venv/bin/ninja /opt/cmake/bin/ninja
RUN if [ -d /opt/rocm/include/ck_tile ]; then gpu=ON; \
    else gpu=OFF; echo "op library WITHOUT GPU: no /opt/rocm/include/ck_tile in the base image"; fi \
    && /opt/cmake/bin/cmake -S /src/kernels/ck_flash_attention -B /tmp/op -G Ninja \
         -DCMAKE_MAKE_PROGRAM=/opt/cmake/bin/ninja -DCMAKE_CXX_COMPILER=/opt/rocm/bin/hipcc \
         -DPOINTSMAN_ROCM="$gpu" \
    && /opt/cmake/bin/cmake --build /tmp/op --parallel \
    && /opt/cmake/bin/cmake --install /tmp/op --prefix /op \
    && /opt/cmake/bin/cmake -S /src/kernels/compressor -B /tmp/compressor -G Ninja \
         -DCMAKE_MAKE_PROGRAM=/opt/cmake/bin/ninja -DCMAKE_CXX_COMPILER=/opt/rocm/bin/hipcc \
    && /opt/cmake/bin/cmake --build /tmp/compressor --parallel \
    && /opt/cmake/bin/cmake --install /tmp/compressor --prefix /op

FROM rocm/tritoninferenceserver:tritoninferenceserver-25.12.amd1_rocm7.2_ubuntu24.04_py3.12 AS rocm
LABEL org.opencontainers.image.title="pointsman" \
      org.opencontainers.image.licenses="Apache-2.0"
# KIND_GPU puts the encoder and the three heads on the GPU.
ARG INSTANCE_KIND=KIND_CPU
COPY --from=rocm-packages /packages /opt/pointsman/packages
COPY --from=rocm-op /op /opt/pointsman/op
COPY model_repository /opt/pointsman/model_repository
COPY deploy/healthcheck.py /opt/pointsman/healthcheck.py
# AMD's own ONNX Runtime backend has MIGraphX alone, without the ROCm execution provider.
RUN rm -rf /opt/tritonserver/backends/onnxruntime
COPY python_backends/onnxruntime /opt/tritonserver/backends/onnxruntime
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin pointsman \
    && test -d /opt/tritonserver/backends/python \
    && sed -i "s/KIND_CPU/${INSTANCE_KIND}/" \
         /opt/pointsman/model_repository/encoder/config.pbtxt \
         /opt/pointsman/model_repository/*_classifier/config.pbtxt \
    && grep -q "${INSTANCE_KIND}" /opt/pointsman/model_repository/encoder/config.pbtxt
ENV PYTHONPATH=/opt/pointsman/packages \
    LD_LIBRARY_PATH=/opt/pointsman/op/lib:/opt/rocm/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/pointsman
EXPOSE 8000 8001 8002
# Routes a real request: Triton stays ready when a model's process has died.
HEALTHCHECK --interval=10s --timeout=8s --start-period=180s --retries=2 \
    CMD ["python3", "/opt/pointsman/healthcheck.py", "127.0.0.1:8000"]
ENTRYPOINT ["/opt/tritonserver/bin/tritonserver", \
            "--model-repository=/opt/pointsman/model_repository", \
            "--backend-directory=/opt/tritonserver/backends", \
            "--strict-readiness=true", \
            "--exit-on-error=true"]
