# One static binary on an empty root.
#
#   docker build -t clarity-backend .
#   docker build --platform linux/arm64 -t clarity-backend .
#
# The compiler always runs on the machine's own architecture and compiles for the
# one asked for: BuildKit derives TARGETARCH from --platform, and
# `--build-arg TARGETARCH=arm64` sets it by hand. A default here would override it.

FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build

SHELL ["/bin/bash", "-o", "errexit", "-o", "nounset", "-o", "pipefail", "-c"]

ARG TARGETARCH

# Only for another architecture than the machine's own is there anything to fetch.
# hadolint ignore=DL3008
RUN architecture=${TARGETARCH:-$(dpkg --print-architecture)}; \
    case "$architecture" in \
      amd64) machine=x86_64 package=x86-64-linux-gnu libc=libc6-dev-amd64-cross ;; \
      arm64) machine=aarch64 package=aarch64-linux-gnu libc=libc6-dev-arm64-cross ;; \
      *) echo "TARGETARCH must be amd64 or arm64, not $architecture" >&2; exit 1 ;; \
    esac; \
    echo "$machine" > /machine; \
    if ! command -v "$machine-linux-gnu-gcc"; then \
      apt-get update; \
      apt-get install --yes --no-install-recommends "gcc-$package" "$libc"; \
      rm -rf /var/lib/apt/lists/*; \
      rustup target add "$machine-unknown-linux-gnu"; \
    fi

WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src

# Whole-program optimisation takes most of the time of a build. To try the image out:
# --build-arg CARGO_PROFILE_RELEASE_LTO=off --build-arg CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
ARG CARGO_PROFILE_RELEASE_LTO
ARG CARGO_PROFILE_RELEASE_CODEGEN_UNITS

# The registry and everything compiled stay in BuildKit's caches: a change of our
# own source compiles our own crate alone. With --target given, the static C
# library is linked into the binary only, not into what runs while it is built.
RUN --mount=type=cache,id=clarity-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=clarity-target-$TARGETARCH,target=/source/target,sharing=locked \
    machine=$(cat /machine); \
    target="$machine-unknown-linux-gnu"; \
    in_names=$(echo "$target" | tr - _); \
    in_settings=$(echo "$in_names" | tr '[:lower:]' '[:upper:]'); \
    export "CC_$in_names=$machine-linux-gnu-gcc"; \
    export "CARGO_TARGET_${in_settings}_LINKER=$machine-linux-gnu-gcc"; \
    export RUSTFLAGS='-C target-feature=+crt-static'; \
    # The cache may hold what another checkout made later than these files are.
    find Cargo.toml build.rs benches src -exec touch {} +; \
    cargo build --locked --release --bin clarity-backend --target "$target"; \
    cp "target/$target/release/clarity-backend" /clarity-backend

FROM scratch

ARG REVISION=unknown
ARG VERSION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="clarity-backend" \
      org.opencontainers.image.description="Backend for health apps" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

# The certificate authorities that DynamoDB and Gemini are trusted by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /clarity-backend /clarity-backend

USER 10001:10001

# Strict unless told otherwise: without a key of its own it does not start. Metrics and
# traces bear the revision.
ENV ENVIRONMENT=production \
    CLARITY_REVISION="$REVISION"
EXPOSE 8000

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/clarity-backend", "healthcheck"]
ENTRYPOINT ["/clarity-backend"]
