FROM busybox
COPY image /app
CMD ["httpd", "-f", "-p", "8080", "-c", "/app/httpd.conf"]
