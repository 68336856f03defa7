FROM busybox AS tools
FROM scratch
COPY --from=tools /bin/busybox /bin/httpd
COPY image /app
ENTRYPOINT ["/bin/httpd", "-f", "-p", "8080"]
CMD ["-c", "/app/httpd.conf"]
