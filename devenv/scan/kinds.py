"""Kinds of dependencies that variables and images tell, and what an image of each needs to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its image and port, the URL schemes and words in variable names that mean it.

    `repositories` are the last parts of image names; `user`, `password` and `database` are the variables with which
    its image makes them.
    """

    name: str
    image: str
    port: int
    schemes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    volume: str = ""
    user: str = ""
    password: str = ""
    database: str = ""
    more_ports: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


KINDS = (
    Kind(
        "postgres",
        "postgres:15",
        5432,
        schemes=("postgres", "postgresql", "postgis", "timescale"),
        words=("POSTGRES", "POSTGRESQL", "PG"),
        repositories=("postgres", "postgis", "timescaledb", "pgvector", "postgresql", "timescaledb-ha"),
        drivers=("psycopg", '"pg"', "asyncpg", "postgresql", "lib/pq", "pgx"),
        volume="/var/lib/postgresql/data",
        user="POSTGRES_USER",
        password="POSTGRES_PASSWORD",
        database="POSTGRES_DB",
        env={"PGDATA": "/var/lib/postgresql/data/pgdata"},
    ),
    Kind(
        "mysql",
        "mysql:8.4",
        3306,
        schemes=("mysql", "mysql2", "mariadb"),
        words=("MYSQL", "MARIADB"),
        repositories=("mysql", "mariadb", "percona", "mysql-server"),
        drivers=("pymysql", "mysqlclient", "mysql2", "mysql-connector", "mariadb", "go-sql-driver/mysql"),
        volume="/var/lib/mysql",
        user="MYSQL_USER",
        password="MYSQL_PASSWORD",
        database="MYSQL_DATABASE",
    ),
    Kind(
        "redis",
        "redis:7",
        6379,
        schemes=("redis", "rediss", "valkey"),
        words=("REDIS", "VALKEY"),
        repositories=("redis", "valkey", "redis-stack", "redis-stack-server", "keydb"),
        volume="/data",
    ),
    Kind(
        "mongo",
        "mongo:7",
        27017,
        schemes=("mongodb", "mongodb+srv"),
        words=("MONGO", "MONGODB"),
        repositories=("mongo", "mongodb", "mongodb-community-server"),
        volume="/data/db",
        user="MONGO_INITDB_ROOT_USERNAME",
        password="MONGO_INITDB_ROOT_PASSWORD",
    ),
    Kind(
        "rabbitmq",
        "rabbitmq:4-management",
        5672,
        schemes=("amqp", "amqps"),
        words=("RABBITMQ", "RABBIT", "AMQP"),
        repositories=("rabbitmq",),
        volume="/var/lib/rabbitmq",
        user="RABBITMQ_DEFAULT_USER",
        password="RABBITMQ_DEFAULT_PASS",
        database="RABBITMQ_DEFAULT_VHOST",
        more_ports=(15672,),
    ),
    Kind(
        "kafka",
        "apache/kafka:3.9.0",
        9092,
        schemes=("kafka",),
        words=("KAFKA", "BOOTSTRAP"),
        repositories=("kafka", "cp-kafka", "kafka-native", "redpanda"),
        env={
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://{name}:9092",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        },
    ),
)

IMAGE_PORTS: Mapping[str, tuple[int, ...]] = {
    **{repository: (kind.port, *kind.more_ports) for kind in KINDS for repository in kind.repositories},
    "nginx": (80,), "httpd": (80,), "caddy": (80,), "traefik": (80,), "haproxy": (80,), "adminer": (8080,),
    "pgadmin4": (80,), "phpmyadmin": (80,), "mongo-express": (8081,), "memcached": (11211,), "zookeeper": (2181,),
    "cp-zookeeper": (2181,), "cp-schema-registry": (8081,), "nats": (4222, 8222), "elasticsearch": (9200,),
    "opensearch": (9200,), "kibana": (5601,), "mailhog": (1025, 8025), "mailpit": (1025, 8025), "maildev": (1025, 1080),
    "minio": (9000, 9001), "localstack": (4566,), "prometheus": (9090,), "grafana": (3000,), "loki": (3100,),
    "jaeger": (16686, 4317, 4318), "all-in-one": (16686, 4317, 4318), "otel-collector": (4317, 4318),
    "opentelemetry-collector": (4317, 4318), "zipkin": (9411,), "keycloak": (8080,), "vault": (8200,),
    "consul": (8500,), "etcd": (2379,), "cassandra": (9042,), "clickhouse-server": (8123, 9000), "influxdb": (8086,),
    "neo4j": (7474, 7687), "couchdb": (5984,), "wiremock": (8080,), "mockserver": (1080,), "hasura": (8080,),
    "graphql-engine": (8080,), "typesense": (8108,), "meilisearch": (7700,), "eclipse-mosquitto": (1883,),
    "temporal": (7233,), "auto-setup": (7233,), "sonarqube": (9000,), "gitea": (3000,), "sentry": (9000,),
    "kafka-ui": (8080,), "kafdrop": (9000,), "redis-commander": (8081,), "whoami": (80,),
}  # fmt: skip
"""What well-known images listen on."""


def repository_of(image: str) -> str:
    """The last part of an image's name: "postgres" of "docker.io/library/postgres:15"."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()


def tag_of(image: str) -> str:
    """The tag of an image, or "" where none is written."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def kind_of_image(image: str) -> Kind | None:
    """The kind that an image is of."""
    repository = repository_of(image)
    return next((kind for kind in KINDS if repository in kind.repositories), None)


def kind_named(name: str) -> Kind:
    """The kind of that name."""
    return next(kind for kind in KINDS if kind.name == name)
