FROM busybox AS tools
FROM debian:bookworm-slim
COPY --from=tools /bin/busybox /usr/local/bin/httpd
COPY image /app
WORKDIR /app
CMD exec httpd -f -p 8080 -c httpd.conf
