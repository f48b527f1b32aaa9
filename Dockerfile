# The image of DriftSentry: one static binary, the certificates it trusts, its
# licence. No shell, no package manager, no source.
#
#   docker build -t driftsentry .                    (make image adds the version)
#   docker buildx build --platform linux/amd64,linux/arm64 -t driftsentry .
#
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --stop-timeout 35 -p 127.0.0.1:3001:3001 --env-file .env driftsentry
#
# It needs BuildKit: the default since Docker 23, DOCKER_BUILDKIT=1 before. There
# is no "# syntax=" line, because what is used here every BuildKit knows, and a
# build that first downloads its own parser has one more thing to trust and to fail.
#
# Base images are pinned by tag. A digest is one architecture's or one registry's
# truth, and goes stale without anybody noticing; what ends in the image is fixed
# otherwise: the compiler by its exact version, the modules by go.sum. Only the CA
# bundle is the base's. Where policy asks for a digest:
#   --build-arg GO_IMAGE=golang:1.26.8-trixie@sha256:…

ARG GO_IMAGE=golang:1.26.8-trixie
ARG TOOLS_IMAGE=busybox:1.37.0-musl

# --- The binary. Compiled on the machine that builds, for the one that runs. ---

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local

# Modules have a layer of their own, which only go.mod and go.sum change. The
# cache mounts keep modules and compiled packages from build to build.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

# What any account needs. /tmp holds plans too large for memory, encrypted and
# without a name, while they are read.
RUN mkdir -p -m 0755 /rootfs/etc/ssl/certs /rootfs/licenses \
 && mkdir -m 1777 /rootfs/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ \
 && echo 'driftsentry:x:65532:65532::/nonexistent:/nonexistent' > /rootfs/etc/passwd \
 && echo 'driftsentry:x:65532:' > /rootfs/etc/group
COPY LICENSE /rootfs/licenses/

COPY cmd cmd
COPY internal internal

# timetzdata: the time zones are in the binary. grpcnotrace: without gRPC's debug
# page, whose templates keep the linker from dropping unused methods (4 MB).
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=
ARG COMMIT=
ARG DATE=
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -tags timetzdata,grpcnotrace \
      -ldflags "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" \
      -o /rootfs/usr/local/bin/driftsentry ./cmd/driftsentry

# --- For docker-compose.yml alone: the steps that prepare a stack need a shell. ---

FROM ${TOOLS_IMAGE} AS tools
COPY --from=build /rootfs/usr/local/bin/driftsentry /usr/local/bin/driftsentry
COPY deploy/compose/secrets.sh deploy/compose/first-user.sh /usr/local/lib/driftsentry/
USER 65532:65532
ENTRYPOINT ["/bin/sh"]

# --- The image. The last stage is what a plain "docker build" makes. ---

FROM scratch AS driftsentry
ARG VERSION=
ARG COMMIT=
ARG DATE=
LABEL org.opencontainers.image.title="DriftSentry" \
      org.opencontainers.image.description="Keeps the drift that Terraform finds, says what is new, and remembers who decided what and why" \
      org.opencontainers.image.url="https://github.com/driftsentry/driftsentry" \
      org.opencontainers.image.source="https://github.com/driftsentry/driftsentry" \
      org.opencontainers.image.documentation="https://github.com/driftsentry/driftsentry#readme" \
      org.opencontainers.image.vendor="DriftSentry" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.created="$DATE"

COPY --from=build /rootfs/ /

# production: whoever forgets a secret is told so, instead of being given one.
ENV APP_ENV=production
# A number, because Kubernetes' runAsNonRoot cannot look a name up.
USER 65532:65532
# Writable even under --read-only; an orchestrator mounts its own.
VOLUME ["/tmp"]
EXPOSE 3001
STOPSIGNAL SIGTERM
# Liveness: a restart mends a process, not a database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/driftsentry", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/driftsentry"]
CMD ["serve"]
