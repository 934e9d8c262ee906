# A static binary in an image without a shell, run by a user who is not root.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t tallyman .
#   docker run --read-only --tmpfs /tmp -v /srv/tallyman:/data tallyman run --config /data/tallyman.yaml
#
# /srv/tallyman belongs to user 65532. data_dir and reports.dir of the configuration are in /data; nothing else is
# written, but for large workbooks, which need /tmp while they are made.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=development
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /tallyman ./cmd/tallyman

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /tallyman /usr/local/bin/tallyman
VOLUME /data
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/tallyman"]
CMD ["help"]
