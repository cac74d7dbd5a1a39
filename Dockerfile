# The proxy alone, on an image without a shell. Configuration, rules and the audit log are mounted:
#   docker run -v ./config:/etc/sekisho/config:ro -v ./rules:/etc/sekisho/rules:ro -v sekisho-audit:/etc/sekisho/audit \
#     -p 6432:6432 -p 6433:6433 sekisho
# The listeners in the configuration must name 0.0.0.0 to be reached from outside of the container.

FROM rust:1.95-slim-bookworm AS build
# A C compiler for the cryptographic library; the slim image has one as the linker.
WORKDIR /build
# First the dependencies alone, in a layer that stays while only the source changes.
COPY Cargo.toml Cargo.lock ./
COPY benches benches
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked
COPY src src
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin sekisho \
    && strip target/release/sekisho \
    && install -d -o 65532 -g 65532 -m 750 /audit

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="sekisho" \
      org.opencontainers.image.description="A checkpoint for databases: per-role rules, masks and audit" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build/target/release/sekisho /usr/local/bin/sekisho
# A new volume takes over the owner of the folder that it covers.
COPY --from=build --chown=65532:65532 /audit /etc/sekisho/audit
WORKDIR /etc/sekisho
USER 65532:65532
EXPOSE 6432 6433 6480
VOLUME ["/etc/sekisho/audit"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/usr/local/bin/sekisho", "health"]
# SIGTERM lets running statements end; give them that time with `docker stop --timeout`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/sekisho"]
CMD ["serve"]
