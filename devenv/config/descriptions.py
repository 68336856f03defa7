"""What each key of the user's files means, in a few words: for the JSON Schemas, and for errors about missing keys."""

from __future__ import annotations

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "EnvironmentFile": {
        "version": "version of this format",
        "name": "name of the environment and its namespace (default: the folder's name)",
        "profile": "which profile is used unless -p names another: profiles/NAME.yaml, a shipped one, or a path",
        "services": "what is built from source and edited here, by name",
        "groups": "names for several services and dependencies together",
        "hooks": "commands on this machine around up and down",
    },
    "LocalFile": {
        "version": "version of this format",
        "name": "name of the environment and its namespace",
        "profile": "which profile is used unless -p names another",
        "services": "what is changed of services, for this machine only",
        "groups": "names for several services and dependencies together",
        "hooks": "commands on this machine around up and down",
        "dependencies": "what is changed of dependencies, for this machine only",
    },
    "HooksFile": {
        "before_up": "commands that run before anything is brought up",
        "after_up": "commands that run once everything is ready",
        "before_down": "commands that run before anything is taken down",
    },
    "SecretFile": {
        "secret": "where the value comes from; it is looked up at up and kept only in the cluster",
    },
    "SourceFile": {
        "env": "a variable of this machine",
        "file": "a file of this machine, relative to this one",
        "exec": "a command of this machine that prints it",
    },
    "RunningFile": {
        "env_file": "files of KEY=VALUE lines; env wins over them",
        "replicas": "how many pods run",
        "resources": "what a container asks for and may use at most",
        "init": "commands that end before the program starts",
        "seed": "commands that run once when it is ready for the first time",
    },
    "ServiceFile": {
        "build": "the folder with the Dockerfile, or a mapping with more",
        "image": "a prebuilt image instead of build",
        "ports": "ports of the container by name",
        "env": "environment variables of the program",
        "deploy": "own manifests (a YAML file) instead of generated ones",
        "sync": "what is sent into the running container on each save: a list of rules, or a mapping with more",
        "test": "how devenv test tests this service",
        "needs": "services and dependencies that are ready before this one starts",
        "command": "replaces what the image starts: a list, or a text for sh -c",
        "volumes": "volume claims by name",
    },
    "BuildFile": {
        "context": "the folder that is sent to the build",
        "dockerfile": "the Dockerfile, relative to the context (default: Dockerfile)",
        "target": "the stage to build",
        "args": "build arguments",
    },
    "DeployFile": {
        "path": "the YAML file of manifests",
        "workload": "which workload is the service's, as kind/name",
        "container": "which container of the workload is the service's",
    },
    "SyncFile": {
        "from": "the file or folder here, relative to devenv.yaml",
        "to": "the absolute path in the container; with / at its end a folder",
        "reload": "what happens after files arrived: none, restart, rebuild, {signal: NAME} or {exec: [...]}",
    },
    "SyncMap": {
        "rules": "what is sent where",
        "gate": "how long a new pod waits for a session before it runs the image's code, from 0s to 10m",
        "in_place": "true writes into the image's own folders, without volumes for the targets",
        "probes": "keep leaves liveness and startup probes, which are taken out otherwise",
        "wait_for_sync": "true has init steps of the same image wait for the synced files, too",
        "watch": "how changes are seen here: auto, or poll where the file system tells of none",
        "agent": "false leaves the pod without devenv's agent; the image needs sh and tar then",
    },
    "ReloadMap": {
        "signal": "the signal that the program gets, such as HUP",
        "exec": "the command that runs in the container",
    },
    "TestFile": {
        "command": "the command in the container: a list, or a text for sh -c",
        "reports": "files in the container that come home after the run",
    },
    "ResourcesFile": {
        "requests": "what a container asks for, or trim for a small share that fits a laptop",
        "limits": "what a container may use at most",
    },
    "StepFile": {
        "name": "name of the step",
        "image": "an image for this step (default: the unit's own)",
        "command": "the command: a list, or a text for sh -c",
        "env": "environment variables beside the unit's own",
    },
    "ProfileFile": {
        "version": "version of this format",
        "description": "what the profile is for, in one line",
        "include": "profiles that this one is laid onto: names, or paths relative to this file",
        "dependencies": "what the services need, by name",
    },
    "DependencyFile": {
        "doc": "what it is, in one line",
        "memory": "about how much memory it needs",
        "mode": "what it is now (default: stub if there is one, else real)",
        "stub": "the form that only seems to be there",
        "real": "the form that runs for real",
        "parameters": "what users of this profile may set under with",
        "with": "values for the parameters",
    },
    "StubFile": {
        "wiremock": "a WireMock folder with mappings/ and __files/, relative to this file",
        "har": "a HAR recording, relative to this file",
        "host": "whose answers of the recording are taken (default: its only host's)",
        "openapi": "an OpenAPI 3 document, relative to this file",
        "routes": "answers by method and path, such as GET /rates/{id}",
        "ports": "ports that it answers on, by name",
    },
    "RouteFile": {
        "status": "the status of the answer",
        "headers": "its headers by name",
        "json": "its body, sent as JSON",
        "text": "its body, sent as it is",
    },
    "RealFile": {
        "image": "the image that runs",
        "devenv": "another project with a devenv.yaml, whose service this is",
        "service": "the service of that project (default: of the dependency's name)",
        "ports": "ports of the container by name",
        "env": "environment variables of the program",
        "command": "replaces the image's entrypoint",
        "args": "arguments of the entrypoint",
        "volumes": "volume claims by name",
        "files": "files that are mounted, by the folder in the container",
        "ready": "a command that succeeds in the container once it takes requests",
    },
    "VolumeFile": {
        "path": "where it is mounted in the container",
        "size": "how large it is, such as 1Gi",
    },
    "ParameterFile": {
        "default": "the value where none is given",
        "type": "string, or files for a list of paths",
        "doc": "what it means",
    },
    "SettingsFile": {
        "cluster": "the cluster of this machine",
        "registry": "the registry beside the cluster",
        "tools": "paths of programs that are not on PATH, by name",
        "mirrors": "where the cluster's nodes pull an upstream registry's images from",
        "allowed_contexts": "kubeconfig contexts that may be used",
    },
    "ClusterFile": {
        "provider": "what gives the cluster",
        "name": "name of the cluster",
        "node_image": "image of the cluster's nodes (default: kind's own)",
    },
    "RegistryFile": {
        "name": "name of the registry's container",
        "port": "its port on this machine",
        "image": "its image",
    },
}


def describe_key(model: type, key: str) -> str:
    """What a key of a model means; nothing where it is not described."""
    names = (parent.__name__ for parent in model.__mro__)
    return next((found for name in names if (found := DESCRIPTIONS.get(name, {}).get(key))), "")
