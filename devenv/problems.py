"""The catalogue of what can go wrong: one value for each, used by errors, `devenv explain`, the FAQ page and tests.

A message is one lowercase sentence without a full stop; a cure is the next thing to do, with the command.
"""

from __future__ import annotations

from devenv.errors import Problem

# --- configuration -----------------------------------------------------------------------------------------------
CONFIG_INVALID = Problem(
    "config-invalid",
    "{count} in the configuration",
    "devenv.yaml or a profile has a key that devenv does not know, a value of the wrong type, or a name that points "
    "nowhere. All faults are listed at once, each with file, line and column.",
    "correct the lines above and run the command again",
)
CONFIG_MISSING = Problem(
    "config-missing",
    "no devenv.yaml in {folder} or any folder above it",
    "Commands that act on an environment look for devenv.yaml in the current folder and upwards.",
    "go to your project, name the file with -f, or write one: devenv init",
)
FILE_MISSING = Problem(
    "file-missing",
    "there is no file {file}",
    "The file that -f names does not exist.",
    "name a devenv.yaml that exists, or leave -f away to use the nearest one",
)
SETTINGS_INVALID = Problem(
    "settings-invalid",
    "{count} in the settings file {file}",
    "The machine-wide settings have an unknown key or a value of the wrong type.",
    "correct the lines above; DEVENV_SETTINGS names another file",
)
KEY_UNKNOWN = Problem(
    "key-unknown",
    "the configuration has no {path}{nearest}",
    "The key path on the command line leads to no value of the merged configuration.",
    "known {where}: {known}",
)
COMPOSE_INVALID = Problem(
    "compose-invalid",
    "{file}:{line} can't be read as a compose file: {reason}",
    "The compose file is not there, not YAML, or no mapping of keys.",
    "correct it, or name another: devenv init --from FILE",
)
INIT_NOTHING = Problem(
    "init-nothing",
    "nothing in {folder} says what its services are",
    "devenv init looks for a compose file in the folder and for Dockerfiles in it and below.",
    "write a Dockerfile, or name what there is: devenv init --service NAME=FOLDER, or --from compose.yaml",
)
INIT_OPTION = Problem(
    "init-option",
    "{option} {given} does not fit: {reason}",
    "An option of devenv init has another form, or names a service that is not proposed.",
    "{form}",
)
INIT_EXISTS = Problem(
    "init-exists",
    "{files} there already, and would change",
    "devenv init replaces files only where that is asked for; how they would change is shown.",
    "devenv init --overwrite --yes replaces them, devenv init --dry-run shows the whole proposal",
)
WRITE_FAILED = Problem(
    "write-failed",
    "{file} can't be written: {reason}",
    "The folder is not writable, or the disk is full.",
    "see the reason; nothing else was changed",
)
NAME_UNKNOWN = Problem(
    "name-unknown",
    "{kind} {name!r} is not in this environment{nearest}",
    "The name on the command line is neither a service nor a dependency of devenv.yaml and its profile.",
    "known: {known}",
)
USAGE = Problem(
    "usage",
    "{text}",
    "The command line has a command, an option or a value that devenv does not know, or it lacks one.",
    "{command} --help shows what there is",
)
PROFILE_UNKNOWN = Problem(
    "profile-unknown",
    "there is no profile {name!r}{nearest}",
    "Neither profiles/ beside devenv.yaml nor devenv itself has a profile of that name.",
    "known: {known}",
)
SHELL_UNKNOWN = Problem(
    "shell-unknown",
    "can't tell which shell to set up: SHELL is {shell!r}",
    "Completion is made for bash, zsh and fish; SHELL names another one, or nothing.",
    "name one: devenv completion install --shell bash",
)
FILE_NOT_WRITTEN = Problem(
    "file-not-written",
    "{file} can't be written: {reason}",
    "The folder belongs to another user, is read-only, or the disk is full.",
    "make it writable, or redirect what devenv prints into a file of your own",
)
CODE_UNKNOWN = Problem(
    "code-unknown",
    "there is no error code {code_given!r}{nearest}",
    "The catalogue has no entry of that name.",
    "devenv explain lists all codes",
)
CHECK_UNKNOWN = Problem(
    "check-unknown",
    "devenv doctor has no check {name!r}{nearest}",
    "devenv doctor looks at everything, or at the checks whose ids are named; none has that id.",
    "devenv doctor, without a name, shows all checks with their ids",
)

SECRET_MISSING = Problem(
    "secret-missing",
    "{count} can't be looked up",
    "A secret: of devenv.yaml or a profile names an environment variable, a file or a command of this machine, and it "
    "gave nothing. What a command prints on stdout is never shown, what it says on stderr is.",
    "see the lines above; run the command yourself, or set the variable, then run devenv up again",
)
HOOK_FAILED = Problem(
    "hook-failed",
    "the hook {when} failed: {command} ended with code {code}",
    "A command under hooks: in devenv.yaml ended with an error; its last lines are shown.",
    "correct what it says and run the command again, or leave the hooks out with --no-hooks",
)

# --- tools and daemons -------------------------------------------------------------------------------------------
DOCKER_MISSING = Problem(
    "docker-missing",
    "docker is not installed",
    "Neither a docker command nor a Docker socket was found. devenv builds images and runs its local cluster in Docker.",
    "install Docker Engine or Docker Desktop, then run the command again",
)
DOCKER_NOT_RUNNING = Problem(
    "docker-not-running",
    "the Docker daemon does not answer at {address}",
    "Docker is installed, but its daemon is stopped, still starting, or this user may not use its socket.",
    "start it (systemctl start docker, or open Docker Desktop), or add yourself to the docker group",
)
AGENT_MISSING = Problem(
    "agent-missing",
    "there is no program made from {source}",
    "The agent that runs in containers comes with devenv; in a checkout whose agent.c was changed it has to be made anew.",
    "make it: pip install ziglang && python -m devenv.agent.compile",
)
KIND_MISSING = Problem(
    "kind-missing",
    "kind is not installed",
    "The settings ask for a kind cluster, and there is no kind command on PATH or under tools in the settings.",
    "install it (brew install kind, or go install sigs.k8s.io/kind@latest) or name it in the settings: tools: {{kind: /path/to/kind}}",
)
COMMAND_FAILED = Problem(
    "command-failed",
    "{command} ended with code {code}",
    "A program that devenv runs ended with an error; its last lines are shown.",
    "see the lines above; -v shows all of its output",
)
DISK_FULL = Problem(
    "disk-full",
    "no space left on the device while {doing}",
    "The disk, or Docker's part of it, is full.",
    "free some space (docker system df shows Docker's share, docker builder prune frees build cache), then run the command again",
)
BUILD_FAILED = Problem(
    "build-failed",
    "the image of {service} does not build",
    "A step of the Dockerfile failed; the last lines of its output are shown.",
    "correct {dockerfile} and run the command again",
)
DOCKERFILE_MISSING = Problem(
    "dockerfile-missing",
    "{service} has no Dockerfile at {path}",
    "The build context of a service has no file of that name.",
    "create it, or name another: build: {{context: ..., dockerfile: ...}}",
)
PUSH_FAILED = Problem(
    "push-failed",
    "{image} can't be pushed to the local registry",
    "The registry beside the cluster did not take the image.",
    "run devenv up again: it mends the registry",
)
CREDENTIALS_UNUSABLE = Problem(
    "credentials-unusable",
    "Docker's logins can't be used: {reason}",
    "Docker's configuration says that a program keeps its logins, and that program is missing or fails; Docker asks it "
    "before every build, pull and push.",
    "install that program, or take credsStore and credHelpers out of ~/.docker/config.json and log in again",
)
PORT_TAKEN = Problem(
    "port-taken",
    "port {port} on this machine is taken by {holder}",
    "Another program listens on the port that devenv wants for the registry or a forward.",
    "stop that program, or choose another port: {where}",
)

# --- cluster -----------------------------------------------------------------------------------------------------
CLUSTER_CREATE_FAILED = Problem(
    "cluster-create-failed",
    "cluster {name} could not be created",
    "kind could not bring the cluster up; what it printed last is shown and its logs are kept.",
    "see {logs}; the half-made cluster was removed, so devenv up starts anew",
)
CLUSTER_FOREIGN = Problem(
    "cluster-foreign",
    "a cluster named {name} exists and devenv did not make it",
    "devenv puts a label on the nodes it creates; this cluster's nodes don't have it, so it may be somebody's.",
    "choose another name in the settings (cluster: {{name: ...}}), or remove that one: kind delete cluster --name {name}",
)
REGISTRY_FOREIGN = Problem(
    "registry-foreign",
    "a container named {name} exists and devenv did not make it",
    "The local registry's container carries a label of devenv; the one of that name does not.",
    "choose another name in the settings (registry: {{name: ...}}), or remove that container",
)
CLUSTER_MISSING = Problem(
    "cluster-missing",
    "there is no cluster {name}",
    "The cluster that the settings name does not exist, or its kubeconfig entry is gone.",
    "devenv up creates it",
)
CLUSTER_UNREACHABLE = Problem(
    "cluster-unreachable",
    "the API server of {context} does not answer at {server}",
    "The cluster is stopped, still starting, or the network to it is down.",
    "devenv up starts a stopped cluster; docker ps shows whether its node runs",
)
API_FAILED = Problem(
    "api-failed",
    "the cluster refused to {action}: {reason}",
    "The Kubernetes API answered with an error.",
    "see the reason; -v shows the whole answer",
)
NAMESPACE_FOREIGN = Problem(
    "namespace-foreign",
    "namespace {namespace} exists and devenv did not make it",
    "devenv puts an environment into a namespace of its name and never into one that it did not create.",
    "rename the environment (name: in devenv.yaml), or remove that namespace yourself",
)
ENVIRONMENT_MISSING = Problem(
    "environment-missing",
    "environment {name} is not up",
    "Nothing of this environment is in the cluster.",
    "devenv up",
)
MANIFEST_INVALID = Problem(
    "manifest-invalid",
    "the manifests of {service} can't be used",
    "A service's own manifests must be valid, stay in the environment's namespace, and hold exactly one workload "
    "that is the service's.",
    "see the lines above; deploy: {{workload: kind/name, container: ...}} chooses",
)
PROGRAM_UNKNOWN = Problem(
    "program-unknown",
    "nobody knows what the image {image} of {service} starts: {reason}",
    "A service that is synced runs under devenv's agent, which starts its program; what that is, the service's "
    "command says, else its manifests, else the image's config in its registry.",
    "write command: for {service}, or sync: {{agent: false, rules: [...]}} to go without the agent",
)
ARCH_UNKNOWN = Problem(
    "arch-unknown",
    "the image {image} of {service} is for {arch}, and devenv's agent only for {known}",
    "A service that is synced runs under devenv's agent, a program for the processor of the image.",
    "use an image for one of these, or sync: {{agent: false, rules: [...]}} to go without the agent",
)
FILES_TOO_LARGE = Problem(
    "files-too-large",
    "the files of {name} are {size} together; a ConfigMap holds at most 1 MiB",
    "Seed files and stub mappings travel in a ConfigMap, which the Kubernetes API limits to 1 MiB.",
    "make them smaller, or put them into an image",
)

# --- readiness ---------------------------------------------------------------------------------------------------
NOT_READY = Problem(
    "not-ready",
    "{name} is not ready after {seconds} s",
    "Its pods run or start, but did not become ready in time; the verdict of each pod is shown.",
    "devenv logs {name}",
)
IMAGE_PULL_FAILED = Problem(
    "image-pull-failed",
    "{name} can't pull its image {image}",
    "The cluster's node could not get the image: the name is wrong, the registry asks for credentials, or it is not "
    "reachable from the node.",
    "check the name; for a private registry add credentials, for an unreachable one a mirror in the settings",
)
CRASH_LOOP = Problem(
    "crash-loop",
    "{name} starts and ends again and again (exit code {exit_code})",
    "The program in the container ends soon after its start, so Kubernetes starts it over and over.",
    "the last lines it printed are above; devenv logs {name} shows more",
)
PROGRAM_CRASHED = Problem(
    "program-crashed",
    "the program of {name} ends soon after its start (exit code {exit_code})",
    "The program crashed each time that it was started. Its container stays, with what was synced into it.",
    "correct it and save: the next save starts it again; devenv logs {name} shows more",
)
INIT_FAILED = Problem(
    "init-failed",
    "{name} does not start: its init step {step} ends with code {exit_code}",
    "An init step runs before the program and has to end well; this one does not, however often Kubernetes tries.",
    "the last lines it printed are above; correct it and run devenv up again",
)
SEED_FAILED = Problem(
    "seed-failed",
    "the seed {name} ended with code {exit_code}",
    "A seed runs once after its unit is ready, and has to end well before what needs the unit starts.",
    "the last lines it printed are above; correct it and run devenv up again: a seed that failed is run again",
)
UNSCHEDULABLE = Problem(
    "unschedulable",
    "no node takes the pods of {name}: {reason}",
    "The cluster has no node with enough free memory, CPU or the volume the pod asks for.",
    "ask for less, or give the cluster more",
)
OUT_OF_MEMORY = Problem(
    "out-of-memory",
    "{name} was ended for using more memory than its limit",
    "The kernel ended the program because its container reached its memory limit.",
    "raise its memory limit, or make it use less",
)
CONTAINER_CONFIG = Problem(
    "container-config",
    "the container of {name} can't be made: {reason}",
    "A Secret, ConfigMap or volume that the container refers to is missing, or its command is not in the image.",
    "see the reason, correct the configuration, devenv up",
)

# --- session, sync, tests ----------------------------------------------------------------------------------------
SESSION_RUNS = Problem(
    "session-runs",
    "{name} is held by {holder}",
    "One session watches, syncs and forwards for an environment; a second would do everything twice.",
    "devenv attach follows it from here; devenv up --take-over ends it and goes on here",
)
SESSION_TAKEN = Problem(
    "session-taken",
    "the session of {name} was taken over by {holder}",
    "Somebody ran devenv up --take-over for the same environment; it goes on there, and the environment stays up.",
    "devenv attach follows it; devenv up --take-over takes it back",
)
SESSION_FAILED = Problem(
    "session-failed",
    "the background session of {name} did not start",
    "The process that watches, syncs and forwards ended before it was ready; its log is kept.",
    "see {log}",
)
SYNC_NEEDS_SHELL = Problem(
    "sync-needs-shell",
    "{service} can't be synced: its container has no {tool}",
    "Without devenv's agent, sync runs sh, tar, sha256sum and a few more standard tools inside the container; this image "
    "lacks one of them.",
    "take agent: false out of sync: of {service}, or use an image with a shell and tar for development",
)
SYNC_NOT_WRITABLE = Problem(
    "sync-not-writable",
    "{service} can't be synced: {target} can't be written by the container's user",
    "The files at the sync target belong to another user, or the root file system is read-only.",
    "leave out in_place, sync into a folder of the service's own instead of a system folder, or make the target writable "
    "in the Dockerfile (COPY --chown=...)",
)
SYNC_DISK_FULL = Problem(
    "sync-disk-full",
    "{service} can't be synced: no space is left for {target}",
    "The volume or disk in the container that the file belongs to is full; what was there before is still there.",
    "free space there, or make the volume larger; it is tried again until it fits",
)
SYNC_HELD = Problem(
    "sync-held",
    "{service} can't be synced: {holder} syncs it",
    "Another session of devenv, maybe on another machine, syncs into the same pod; two would undo each other's work.",
    "end that session, or take over: devenv up --take-over",
)
WATCH_LIMIT = Problem(
    "watch-limit",
    "changes are seen a second late: {setting} is {limit}, and all of it is in use",
    "The kernel lets a user watch only so many folders; without that, sync looks at the sources every second.",
    "sudo sysctl {setting}={needed}, and again in /etc/sysctl.d to keep it",
)
SYNC_LOSS = Problem(
    "sync-loss",
    "{service} can't be synced: {gone} of its {files} files are gone on this side, and nothing was deleted in the container",
    "Losing more than half of more than 20 files is far more often an accident (a mount that went away, a wrong folder) "
    "than a wish, so it waits for a yes.",
    "bring the files back; if they are gone for good: devenv sync accept {service}",
)
SYNC_DIFFERS = Problem(
    "sync-differs",
    "not the same in the source and the pods of {service}: {paths}",
    "Both sides were hashed. Something in the container changed, made or removed what was synced there.",
    "devenv sync verify --fix has the session send what is here; devenv sync pull PATH has the container's file instead",
)
NO_SYNC = Problem(
    "no-sync",
    "{name} is no service with sync:{nearest}",
    "Only what a service's sync: names is kept equal in its pods; dependencies and other services have nothing to show.",
    "with sync: there are {names}",
)
WHICH_SERVICE = Problem(
    "which-service",
    "{path} can be of several services: {names}",
    "The path is in no sync rule's source, and more than one service is synced.",
    "name it: --service NAME",
)
NO_POD = Problem(
    "no-pod",
    "no pod of {name} runs now",
    "It is not up, or its pods are just being replaced.",
    "devenv status; devenv up",
)
SYNC_FAILED = Problem(
    "sync-failed",
    "{service} can't be synced: {reason}",
    "A change could not be brought into the container.",
    "see the reason; the next save tries again",
)
WAIT_TIMEOUT = Problem(
    "wait-timeout",
    "{count} not {wanted} after {seconds} s",
    "devenv wait ends at its --timeout; each unit that is still waited for is shown with the reason.",
    "see the reasons above; devenv status and devenv logs show more",
)
SESSION_LOST = Problem(
    "session-lost",
    "the session does not answer: {reason}",
    "The session was asked for something and ended, or does not know the request: it may be of another version.",
    "devenv up -d starts a new one",
)
NO_SESSION = Problem(
    "no-session",
    "environment {name} has no live session",
    "Forwards and sync live in a session, in a terminal or in the background; none is running.",
    "devenv up -d starts one",
)
NO_FORWARD = Problem(
    "no-forward",
    "{name} is not reached from this machine",
    "A session forwards the ports: of services, and what devenv forward add opens.",
    "reached from here: {known}; devenv forward add {name} opens one",
)
FORWARD_PORT = Problem(
    "forward-port",
    "{text!r} is not a port of this machine",
    "devenv forward add takes NAME[:PORT] [LOCAL:]PORT: a unit, its port by number or name, and a local port.",
    "for example: devenv forward add postgres 15432:5432",
)
FORWARD_PORT_UNKNOWN = Problem(
    "forward-port-unknown",
    "{name} has no port {port!r}{nearest}",
    "A port is meant by its number or by its name under ports:; without one, the unit must have exactly one.",
    "its ports: {known}",
)
FORWARD_UNKNOWN = Problem(
    "forward-unknown",
    "there is no forward {name!r}{nearest}",
    "devenv forward stop takes a unit's name, NAME:PORT or the local port of a forward that is open now.",
    "open: {known}",
)
TEST_UNCLEAR = Problem(
    "test-unclear",
    "say which service to test",
    "Without a name, devenv test takes the one service that has a test command; there is none, or more than one.",
    "devenv test NAME; with a test command: {known}",
)
DURATION_INVALID = Problem(
    "duration-invalid",
    "{text!r} is not a duration",
    "A duration is a number with s, m, h or d behind it.",
    "for example 90s, 5m or 1h",
)
NO_TEST = Problem(
    "no-test",
    "{service} has no test command",
    "devenv test runs what a service names under test: in devenv.yaml.",
    "add test: {{command: [...]}} to {service}",
)
RUN_LOST = Problem(
    "run-lost",
    "the test run in {pod} was lost: {reason}",
    "The pod went away, the container restarted, or the connection broke while the tests ran.",
    "run devenv test again; devenv logs shows what happened",
)
RUN_TIMEOUT = Problem(
    "run-timeout",
    "the test run did not end within {seconds} s",
    "The test command ran longer than --timeout allows and was ended.",
    "raise --timeout, or run fewer tests",
)

# --- consent -----------------------------------------------------------------------------------------------------
UNCONFIRMED = Problem(
    "unconfirmed",
    "{action} was not confirmed",
    "Something would be written or deleted for good, and nobody said yes.",
    "say yes at the prompt, or pass --yes",
)
TRUST_MISSING = Problem(
    "trust-missing",
    "{count} of your files may not run on this machine yet",
    "Hooks and exec: secrets are commands that a file brings along. They run only after a yes for exactly these "
    "commands of that file; a change of one asks again.",
    "look at them, then devenv trust, or the same command with --trust",
)
BUG = Problem(
    "bug",
    "devenv failed unexpectedly: {reason}",
    "This is a bug in devenv; the log of the run has the whole trace.",
    "please report it with the log {log}",
)

CATALOGUE: tuple[Problem, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Problem))


def find_problem(code: str) -> Problem | None:
    """The entry with that code, or None."""
    return next((problem for problem in CATALOGUE if problem.code == code), None)
