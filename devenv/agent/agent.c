/* devenv's end in a container: docs/explanation/sync.md. It is process 1 of other people's containers and the far end of
 * their streams: static, without threads, without anything that it needs from the image. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VERSION 1
#define LONGEST (256 * 1024)
#define PIECE (48 * 1024)
#define CREDIT_AFTER (512 * 1024)
#define OUT_FULL (4 * 1024 * 1024) /* nothing more is read while so much waits to be written */
#define OUT_BUSY (256 * 1024)      /* long answers wait while so much does */
#define IN_FULL (4 * 1024 * 1024)
#define ABSOLUTE 255
#define COMPLETE 1
#define CHANGED 2
#define STAGE ".devenv-stage"
#define BESIDE ".devenv-stage~"
#define DEFAULT_STATE "/.devenv/state"
#define SILENCE_MS 45000
#define DEFAULT_GRACE_MS 10000

enum { HELLO = 1, LIST, RECORD, MKDIR = 16, PUT, DATA, LINK, CHMOD, DELETE, COMMIT = 31, RESTART, SIGNAL, EXEC, GET = 48,
       GLOB, PING = 64, BYE };
enum { WELCOME = 129, ROWS, ACK, DONE, OUTPUT, FILE_, CONTENT, PATHS, PONG, CREDIT, STATE, FAILED = 143 };
enum { FAILED_VERSION = 1, FAILED_HELD, FAILED_TARGET, FAILED_PROTOCOL, FAILED_INTERNAL };
enum { WAITS, RUNS, CRASHED, ENDED };

/* ---- memory, time, numbers ---- */

struct buf {
    uint8_t *p;
    size_t n, cap;
};

/* Puts texts (the last is NULL) one behind the other, as far as there is room; gives the length. printf would be a fifth
 * of this program. */
static size_t join(char *to, size_t room, ...) {
    va_list texts;
    const char *text;
    size_t n = 0;
    va_start(texts, room);
    while ((text = va_arg(texts, const char *)))
        while (*text && n + 1 < room)
            to[n++] = *text++;
    va_end(texts);
    to[n] = 0;
    return n;
}

/* A number as text; good for the next three calls. */
static const char *digits(uint64_t value) {
    static char texts[4][24];
    static int turn;
    char *p = texts[turn = (turn + 1) % 4] + 23;
    do
        *--p = '0' + value % 10;
    while (value /= 10);
    return p;
}

static void say(const char *text, const char *more) {
    /* One write: lines of several processes must not mix. */
    char line[1024];
    size_t n = join(line, sizeof line - 1, "devenv: ", text, more ? ": " : "", more ? more : "", NULL);
    line[n++] = '\n';
    if (write(2, line, n) < 0)
        return;
}

static void die(int code, const char *text, const char *more) {
    say(text, more);
    _exit(code);
}

static void *grow(void *p, size_t n) {
    p = realloc(p, n ? n : 1);
    if (!p)
        die(1, "the agent has no memory left", NULL);
    return p;
}

static void reserve(struct buf *b, size_t more) {
    if (b->n + more <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 1024;
    while (cap < b->n + more)
        cap += cap / 2 + 1024;
    b->p = grow(b->p, cap);
    b->cap = cap;
}

static void release(struct buf *b) {
    free(b->p);
    memset(b, 0, sizeof *b);
}

static void put(struct buf *b, const void *data, size_t n) {
    reserve(b, n);
    if (n)
        memcpy(b->p + b->n, data, n);
    b->n += n;
}

static void put_number(struct buf *b, uint64_t value, int bytes) {
    uint8_t raw[8];
    for (int i = 0; i < bytes; i++)
        raw[i] = value >> (8 * (bytes - 1 - i));
    put(b, raw, bytes);
}

static void put_text(struct buf *b, const void *text, size_t n) {
    put_number(b, n, 2);
    put(b, text, n);
}

static uint64_t number_at(const uint8_t *p, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long environment_ms(const char *name, long otherwise) {
    const char *text = getenv(name);
    long value = text ? atol(text) : 0;
    return value > 0 ? value : otherwise;
}

static int64_t ns_of(struct timespec t) {
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec time_of(int64_t ns) {
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    if (t.tv_nsec < 0) {
        t.tv_sec--;
        t.tv_nsec += 1000000000;
    }
    return t;
}

static int write_all(int fd, const void *data, size_t n) {
    const uint8_t *p = data;
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        p += done;
        n -= done;
    }
    return 0;
}

/* ---- SHA-256 (FIPS 180-4) ---- */

struct sha {
    uint32_t h[8];
    uint64_t size;
    uint8_t block[64];
};

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))

static void sha_start(struct sha *s) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, first, sizeof first);
    s->size = 0;
}

#define TURN(a, b, c, d, e, f, g, h, k)                                                                                  \
    (d) += t = (h) + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + (((e) & (f)) ^ (~(e) & (g))) + ROUND[k] + w[k];    \
    (h) = t + (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + (((a) & (b)) ^ ((a) & (c)) ^ ((b) & (c)))

static void sha_block(struct sha *s, const uint8_t *p) {
    uint32_t w[64], t, *v = s->h;
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (ROTATE(x, 7) ^ ROTATE(x, 18) ^ x >> 3) + w[i - 7] + (ROTATE(y, 17) ^ ROTATE(y, 19) ^ y >> 10);
    }
    for (int i = 0; i < 64; i += 8) {
        TURN(a, b, c, d, e, f, g, h, i);
        TURN(h, a, b, c, d, e, f, g, i + 1);
        TURN(g, h, a, b, c, d, e, f, i + 2);
        TURN(f, g, h, a, b, c, d, e, i + 3);
        TURN(e, f, g, h, a, b, c, d, i + 4);
        TURN(d, e, f, g, h, a, b, c, i + 5);
        TURN(c, d, e, f, g, h, a, b, i + 6);
        TURN(b, c, d, e, f, g, h, a, i + 7);
    }
    uint32_t add[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        v[i] += add[i];
}

static void sha_add(struct sha *s, const uint8_t *p, size_t n) {
    while (n) {
        size_t at = s->size % 64, part = 64 - at < n ? 64 - at : n;
        if (part == 64) {
            sha_block(s, p);
        } else {
            memcpy(s->block + at, p, part);
            if (at + part == 64)
                sha_block(s, s->block);
        }
        s->size += part;
        p += part;
        n -= part;
    }
}

static void sha_end(struct sha *s, uint8_t digest[32]) {
    uint64_t bits = s->size * 8;
    uint8_t size[8];
    sha_add(s, (const uint8_t *)"\x80", 1);
    while (s->size % 64 != 56)
        sha_add(s, (const uint8_t *)"", 1);
    for (int i = 0; i < 8; i++)
        size[i] = bits >> (56 - 8 * i);
    sha_add(s, size, 8);
    for (int i = 0; i < 32; i++)
        digest[i] = s->h[i / 4] >> (24 - 8 * (i % 4));
}

/* 16 hex digits that stand for a text. */
static void short_hash(const char *text, char hash[17]) {
    struct sha s;
    uint8_t digest[32];
    sha_start(&s);
    sha_add(&s, (const uint8_t *)text, strlen(text));
    sha_end(&s, digest);
    for (int i = 0; i < 16; i++)
        hash[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hash[16] = 0;
}

/* Sorts numbers, merging neighbours: stable, and quick for what is nearly in order. */
static void sort(uint32_t *a, size_t n, int (*order)(uint32_t, uint32_t)) {
    uint32_t *other = grow(NULL, n * sizeof *a);
    for (size_t width = 1; width < n; width *= 2)
        for (size_t from = 0; from + width < n; from += 2 * width) {
            size_t mid = from + width, to = mid + width < n ? mid + width : n, x = from, y = mid;
            if (order(a[mid - 1], a[mid]) <= 0)
                continue;
            for (size_t i = from; i < to; i++)
                other[i] = y == to || (x < mid && order(a[x], a[y]) <= 0) ? a[x++] : a[y++];
            memcpy(a + from, other + from, (to - from) * sizeof *a);
        }
    free(other);
}

/* ---- the state folder ---- */

static const char *state_name = DEFAULT_STATE;
static int state_fd = -1;

static int make_folders(const char *path) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++)
        if (path[i] == '/' || path[i] == 0) {
            memcpy(part, path, i);
            part[i] = 0;
            if (mkdir(part, 0755) < 0 && errno != EEXIST && i == n)
                return errno;
        }
    return 0;
}

static int open_state(void) {
    int error = make_folders(state_name);
    state_fd = open(state_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return state_fd >= 0 ? 0 : error ? error : errno;
}

/* The address of a socket in the state folder; sun_path is short, so a long one goes through the folder's descriptor. */
static struct sockaddr_un socket_at(const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(state_name) + strlen(name) + 2 <= sizeof a.sun_path)
        join(a.sun_path, sizeof a.sun_path, state_name, "/", name, NULL);
    else
        join(a.sun_path, sizeof a.sun_path, "/proc/self/fd/", digits(state_fd), "/", name, NULL);
    return a;
}

static int listen_at(const char *name) {
    struct sockaddr_un a = socket_at(name);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlinkat(state_fd, name, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int connect_to(const char *name) {
    struct sockaddr_un a = socket_at(name);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The number of the last batch with which this pod had everything; 0 where there was none. */
static int last_batch(uint32_t *batch) {
    uint8_t raw[4];
    int fd = openat(state_fd, "last", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int there = read(fd, raw, 4) == 4;
    close(fd);
    if (there)
        *batch = number_at(raw, 4);
    return there;
}

static int note_last_batch(uint32_t batch) {
    uint8_t raw[4] = {batch >> 24, batch >> 16, batch >> 8, batch};
    int fd = openat(state_fd, "last", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    int error = write_all(fd, raw, 4);
    close(fd);
    return error;
}

/* What `serve` and `init` tell each other, both being this program. */
struct ask {
    uint8_t what; /* 'C' committed, 'R' restart, 'S' signal */
    uint8_t flags;
    uint32_t value;
};

struct told {
    uint8_t what; /* 'T' the state, 'D' done */
    uint8_t state, synced;
    int32_t process, code;
    uint32_t starts, status;
    char text[120];
};

/* ---- processes ---- */

static volatile sig_atomic_t child_ended, asked_to_end;
static mode_t old_umask;

static void on_child(int number) {
    (void)number;
    child_ended = 1;
}

static void on_end(int number) {
    asked_to_end = number;
}

static void on_signal(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(number, &action, NULL);
}

static void block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static int wait_for(struct pollfd *fds, int n, int64_t ms) {
    sigset_t none;
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    sigemptyset(&none);
    return ppoll(fds, n, ms < 0 ? NULL : &t, &none);
}

static void reset_signals(void) {
    sigset_t none;
    for (int s = 1; s < 65; s++)
        on_signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Starts a command in a process group of its own, fds[0..2] (-1: as it is) being its streams. Gives the process, or
 * -errno of why it can't be started. */
static pid_t start(char **argv, const int fds[3]) {
    int report[2], error = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        error = errno;
        close(report[0]);
        close(report[1]);
        return -error;
    }
    if (pid == 0) {
        setpgid(0, 0);
        /* Of a terminal only the foreground group may read. Signals are still blocked: SIGTTOU would stop us. */
        if (fds[0] < 0 && isatty(0))
            tcsetpgrp(0, getpid());
        for (int i = 0; i < 3; i++)
            if (fds[i] >= 0)
                dup2(fds[i], i);
        umask(old_umask);
        reset_signals();
        execvp(argv[0], argv);
        error = errno;
        if (write(report[1], &error, sizeof error) < 0)
            _exit(126);
        _exit(127);
    }
    setpgid(pid, pid);
    close(report[1]);
    ssize_t n;
    while ((n = read(report[0], &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(report[0]);
    if (n == sizeof error) {
        waitpid(pid, NULL, 0);
        return -error;
    }
    return pid;
}

static int code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Kills what has become our child: orphans of a command that left its process group. */
static void kill_children(void) {
    DIR *all = opendir("/proc");
    struct dirent *entry;
    while (all && (entry = readdir(all))) {
        char path[300], text[600];
        join(path, sizeof path, "/proc/", entry->d_name, "/stat", NULL);
        int fd = atoi(entry->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        if (n <= 0)
            continue;
        text[n] = 0;
        char *end = strrchr(text, ')'); /* a name may contain anything */
        if (end && strlen(end) > 4 && atoi(end + 4) == getpid())
            kill(atoi(entry->d_name), SIGKILL);
    }
    if (all)
        closedir(all);
}

/* Ends a process group, with five seconds for it to do so by itself. `orphans`: whoever is left among our children too. */
static void end_group(pid_t group, int orphans) {
    int64_t until = now_ms() + environment_ms("DEVENV_AGENT_GRACE_MS", 5000);
    int signal = SIGTERM;
    kill(-group, signal);
    for (int64_t give_up = until + 30000; now_ms() < give_up; usleep(10000)) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        int gone = kill(-group, 0) < 0 && errno == ESRCH;
        if (gone && (!orphans || (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)))
            return;
        if (gone || now_ms() >= until) {
            kill(-group, SIGKILL);
            if (orphans)
                kill_children();
        }
    }
}

/* ---- frames out ---- */

static struct buf out;
static size_t out_at;

static size_t out_waiting(void) {
    return out.n - out_at;
}

static size_t begin(int type, uint32_t batch) {
    if (out_at > out.cap / 2) {
        memmove(out.p, out.p + out_at, out.n - out_at);
        out.n -= out_at;
        out_at = 0;
    }
    size_t at = out.n;
    put_number(&out, 0, 4);
    put_number(&out, type, 1);
    put_number(&out, batch, 4);
    return at;
}

static void end(size_t at) {
    uint32_t size = out.n - at - 4;
    for (int i = 0; i < 4; i++)
        out.p[at + i] = size >> (24 - 8 * i);
}

static void send_done(uint32_t batch, uint32_t status, const char *text) {
    size_t at = begin(DONE, batch);
    put_number(&out, status, 4);
    put_text(&out, text, strlen(text));
    end(at);
}

static void send_errno(uint32_t batch, int error) {
    send_done(batch, error, error ? strerror(error) : "");
}

static void send_bytes(int type, uint32_t batch, const void *data, size_t n) {
    size_t at = begin(type, batch);
    put(&out, data, n);
    end(at);
}

/* Writes what can be written; -1 when nobody reads any more. */
static int flush(void) {
    while (out_at < out.n) {
        ssize_t n = write(1, out.p + out_at, out.n - out_at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        out_at += n;
    }
    out_at = out.n = 0;
    if (out.cap > OUT_BUSY + LONGEST)
        release(&out);
    return 0;
}

static void flush_for(int64_t ms) {
    int64_t until = now_ms() + ms;
    while (flush() == 0 && out_waiting() && now_ms() < until) {
        struct pollfd p = {1, POLLOUT, 0};
        wait_for(&p, 1, until - now_ms());
    }
}

/* ---- paths in targets ---- */

struct target {
    char *name;
    int fd, stage, log;
    size_t log_size, log_base; /* of the record: now, and when it was last made small */
};

static struct target *targets;
static int target_count;

/* The folder that was reached last: most files of a batch share theirs. */
static struct {
    int target, fd;
    size_t n;
    char *path;
} last = {.fd = -1};

static void forget_last(void) {
    if (last.fd >= 0)
        close(last.fd);
    free(last.path);
    last.fd = -1;
    last.path = NULL;
}

/* 1 for a path that can't lead out of its target by its words. */
static int is_allowed(const char *path, size_t n) {
    size_t at = 0;
    if (!n || memchr(path, 0, n))
        return 0;
    while (at <= n) {
        const char *slash = memchr(path + at, '/', n - at);
        size_t size = slash ? (size_t)(slash - path) - at : n - at;
        if (!size || (size <= 2 && !memcmp(path + at, "..", size)))
            return 0;
        if (!at && size == strlen(STAGE) && !memcmp(path, STAGE, size))
            return 0;
        at += size + 1;
    }
    return 1;
}

/* One step down, never through a link. -errno; EPERM for a link. */
static int step_down(int at, const char *name, int make) {
    int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && make) {
        if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
            return -errno;
        fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd >= 0)
        return fd;
    int error = errno;
    struct stat s;
    if ((error == ENOTDIR || error == ELOOP) && !fstatat(at, name, &s, AT_SYMLINK_NOFOLLOW))
        return S_ISLNK(s.st_mode) ? -EPERM : -ENOTDIR;
    return -error;
}

/* A descriptor (not to be closed) of the folder that a path's last part is in, or -errno. `make`: missing ones come. */
static int folder_of(int target, const char *path, const char **name, int make) {
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!slash)
        return targets[target].fd;
    size_t n = slash - path, at = 0;
    int fd = targets[target].fd, owned = 0;
    if (last.fd >= 0 && last.target == target && last.n <= n && !memcmp(last.path, path, last.n)) {
        if (last.n == n)
            return last.fd;
        if (path[last.n] == '/') {
            fd = last.fd;
            at = last.n + 1;
        }
    }
    while (at < n) {
        char part[NAME_MAX + 1];
        size_t size = strchr(path + at, '/') - path - at;
        int next = -ENAMETOOLONG;
        if (size < sizeof part) {
            memcpy(part, path + at, size);
            part[size] = 0;
            next = step_down(fd, part, make);
        }
        if (owned)
            close(fd);
        if (next < 0)
            return next;
        fd = next;
        owned = 1;
        at += size + 1;
    }
    forget_last();
    last.path = grow(NULL, n + 1);
    memcpy(last.path, path, n);
    last.target = target;
    last.n = n;
    return last.fd = fd;
}

static void remove_all(int at, const char *name) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(fd, entry->d_name, 0) < 0)
            remove_all(fd, entry->d_name);
    if (folder)
        closedir(folder);
    if (unlinkat(at, name, AT_REMOVEDIR) < 0)
        unlinkat(at, name, 0);
}

static int stage_of(int target) {
    struct target *t = &targets[target];
    if (t->stage >= 0)
        return t->stage;
    if (mkdirat(t->fd, STAGE, 0700) < 0 && errno != EEXIST)
        return -errno;
    t->stage = openat(t->fd, STAGE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return t->stage < 0 ? -errno : t->stage;
}

static void unstage(void) {
    for (int i = 0; i < target_count; i++)
        if (targets[i].stage >= 0) {
            close(targets[i].stage);
            targets[i].stage = -1;
            if (unlinkat(targets[i].fd, STAGE, AT_REMOVEDIR) < 0)
                remove_all(targets[i].fd, STAGE);
        }
}

/* ---- the record: a log of "+path", "-path" and "!path" (the one before did not come about), each with a NUL ---- */

/* Where the lines are that are being sorted. */
static char *log_text;

static int by_path(uint32_t a, uint32_t b) {
    return strcmp(log_text + a + 1, log_text + b + 1);
}

static void log_name(int target, char name[48], const char *more) {
    char hash[17];
    short_hash(targets[target].name, hash);
    join(name, 48, "record-", hash, more, NULL);
}

static void read_log(int target, struct buf *b) {
    ssize_t n;
    lseek(targets[target].log, 0, SEEK_SET);
    do {
        reserve(b, 65536);
        n = read(targets[target].log, b->p + b->n, 65536);
        if (n > 0)
            b->n += n;
    } while (n > 0);
    while (b->n && b->p[b->n - 1]) /* a line that was not finished */
        b->n--;
}

/* The paths of a record, sorted, as places of lines in `b`; the count of lines that the log had goes to `all`. */
static uint32_t *read_record(int target, struct buf *b, size_t *count, size_t *all) {
    size_t n = 0, kept = 0;
    read_log(target, b);
    for (size_t i = 0; i < b->n; i++)
        n += !b->p[i] && i && b->p[i - 1];
    uint32_t *lines = grow(NULL, n * sizeof *lines);
    log_text = (char *)b->p;
    n = 0;
    for (size_t i = 0; i < b->n; i += strlen(log_text + i) + 1)
        if (log_text[i])
            lines[n++] = i;
    sort(lines, n, by_path);
    for (size_t i = 0, next; i < n; i = next) {
        int there = 0, before = 0;
        for (next = i; next < n && !by_path(lines[i], lines[next]); next++) {
            char mark = log_text[lines[next]];
            int now = mark == '!' ? before : mark == '+';
            before = there;
            there = now;
        }
        if (there)
            lines[kept++] = lines[i];
    }
    *count = kept;
    *all = n;
    return lines;
}

static void shrink_log(int target) {
    struct target *t = &targets[target];
    struct buf b = {0}, small = {0};
    size_t count, all;
    char name[48], fresh[48];
    uint32_t *lines = read_record(target, &b, &count, &all);
    log_name(target, name, "");
    log_name(target, fresh, ".new");
    int fd = -1;
    if (count != all || b.n != t->log_size)
        fd = openat(state_fd, fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    for (size_t i = 0; fd >= 0 && i < count; i++) {
        put(&small, "+", 1);
        put(&small, b.p + lines[i] + 1, strlen((char *)b.p + lines[i]));
    }
    if (fd >= 0 && !write_all(fd, small.p, small.n) && !renameat(state_fd, fresh, state_fd, name)) {
        close(t->log);
        t->log = fd;
        t->log_size = small.n;
    } else if (fd >= 0) {
        close(fd);
    }
    t->log_base = t->log_size;
    free(lines);
    release(&b);
    release(&small);
}

static int open_log(int target) {
    struct target *t = &targets[target];
    char name[48];
    struct stat s;
    log_name(target, name, "");
    t->log = openat(state_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (t->log < 0 || fstat(t->log, &s) < 0)
        return errno;
    t->log_size = s.st_size;
    shrink_log(target);
    return 0;
}

/* ---- a batch ---- */

struct op {
    uint64_t path, text; /* where they are in `words` */
    int64_t mtime;
    uint32_t n;
    uint16_t mode, error;
    uint8_t type, target, kind, staged, settled; /* settled: a delete that 1: is made good by a later op, 2: is done */
};

static struct op *ops;
static uint32_t op_count, op_cap, *sorted;
static struct buf words;

/* The file whose content comes. */
static struct {
    int fd;
    uint64_t missing;
    uint32_t op;
} coming = {.fd = -1};

static char *path_of(const struct op *o) {
    return (char *)words.p + o->path;
}

static uint64_t keep_words(const char *text, size_t n) {
    uint64_t at = words.n;
    put(&words, text, n);
    put(&words, "", 1);
    return at;
}

static struct op *new_op(int type, int target, const char *path, size_t n) {
    if (op_count == op_cap) {
        op_cap = op_cap ? op_cap + op_cap / 2 : 32;
        ops = grow(ops, op_cap * sizeof *ops);
    }
    struct op *o = &ops[op_count++];
    *o = (struct op){.type = type, .target = target, .n = n, .path = keep_words(path, n)};
    if (!is_allowed(path, n))
        o->error = EPERM;
    return o;
}

static void stage_name(uint32_t op, char name[12]) {
    join(name, 12, digits(op), NULL);
}

static void drop_staged(uint32_t op) {
    char name[12];
    stage_name(op, name);
    if (ops[op].staged)
        unlinkat(targets[ops[op].target].stage, name, 0);
    ops[op].staged = 0;
}

/* Ends the file whose content comes, or gives it up. */
static void end_file(int error) {
    if (coming.fd < 0)
        return;
    struct op *o = &ops[coming.op];
    struct timespec times[2] = {time_of(o->mtime), time_of(o->mtime)};
    if (!error && coming.missing)
        error = EIO;
    if (!error && (fchmod(coming.fd, o->mode & 07777) < 0 || futimens(coming.fd, times) < 0))
        error = errno;
    if (close(coming.fd) < 0 && !error)
        error = errno;
    coming.fd = -1;
    o->error = error;
    if (error)
        drop_staged(coming.op);
}

static void more_content(const uint8_t *data, size_t n) {
    struct op *o = &ops[coming.op];
    if (coming.fd < 0) {
        if (n > coming.missing && !o->error) {
            o->error = EIO;
            drop_staged(coming.op);
        }
        return;
    }
    int error = n > coming.missing ? EIO : write_all(coming.fd, data, n);
    coming.missing -= n;
    if (error || !coming.missing)
        end_file(error);
}

static void start_file(struct op *o, uint64_t size, const uint8_t *data, size_t n) {
    char name[12];
    coming.op = o - ops;
    coming.missing = size;
    if (o->error)
        return;
    int stage = stage_of(o->target);
    stage_name(coming.op, name);
    coming.fd = stage < 0 ? -1 : openat(stage, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (coming.fd < 0) {
        o->error = stage < 0 ? -stage : errno;
        return;
    }
    o->staged = 1;
    more_content(data, n);
}

static int compare(const struct op *a, const char *path, size_t n) {
    int order = memcmp(path_of(a), path, a->n < n ? a->n : n);
    return order ? order : (a->n > n) - (a->n < n);
}

static int by_place(uint32_t a, uint32_t b) {
    const struct op *x = &ops[a], *y = &ops[b];
    return x->target != y->target ? x->target - y->target : compare(x, path_of(y), y->n);
}

/* The place in `sorted` of the first op that is not before a path. */
static uint32_t find(int target, const char *path, size_t n) {
    uint32_t low = 0, high = op_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        struct op *o = &ops[sorted[mid]];
        if (o->target < target || (o->target == target && compare(o, path, n) < 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* 1 where an op of one of the types (bits) is for this very path: one that comes after `after`, or (-1) one that did not
 * fail. */
static int makes(int target, const char *path, size_t n, int64_t after, uint64_t types) {
    for (uint32_t i = find(target, path, n); i < op_count; i++) {
        struct op *o = &ops[sorted[i]];
        if (o->target != target || compare(o, path, n))
            return 0;
        if (types >> o->type & 1 && (after < 0 ? !o->error : sorted[i] > after))
            return 1;
    }
    return 0;
}

#define MAKES (1ull << MKDIR | 1ull << PUT | 1ull << LINK)
#define SYNCS (MAKES | 1ull << CHMOD)

/* 1 where a file or link of this batch stands above a path, which can't be there any more then. */
static int is_covered(const struct op *o) {
    for (uint32_t n = o->n; n-- > 0;)
        if (path_of(o)[n] == '/' && makes(o->target, path_of(o), n, -1, 1ull << PUT | 1ull << LINK))
            return 1;
    return 0;
}

static int remove_at(int fd, const char *name) {
    if (!unlinkat(fd, name, 0))
        return 0;
    int error = errno;
    if ((error == EISDIR || error == EPERM) && !unlinkat(fd, name, AT_REMOVEDIR))
        return 0;
    return error == EISDIR || error == EPERM ? errno : error;
}

static int apply_delete(struct op *o) {
    const char *name;
    struct stat s;
    if (makes(o->target, path_of(o), o->n, o - ops, MAKES)) {
        o->settled = 1;
        return 0;
    }
    int fd = folder_of(o->target, path_of(o), &name, 0);
    if (fd == -ENOENT || fd == -ENOTDIR || (fd == -EPERM && is_covered(o)))
        return 0;
    if (fd < 0)
        return -fd;
    if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : errno;
    char kind = S_ISREG(s.st_mode) ? 'f' : S_ISLNK(s.st_mode) ? 'l' : S_ISDIR(s.st_mode) ? 'd' : 'o';
    if (kind != o->kind)
        return 0;
    int error = unlinkat(fd, name, kind == 'd' ? AT_REMOVEDIR : 0) < 0 ? errno : 0;
    if (kind == 'd')
        forget_last();
    return error == ENOENT ? 0 : error == EEXIST ? ENOTEMPTY : error;
}

static int apply(struct op *o);

/* Takes a folder out of the way of a file or link: with what this batch deletes or what was synced into it, no more. */
static int make_way(struct op *o) {
    const char *name, *path = path_of(o);
    char below[o->n + 2];
    size_t n = join(below, sizeof below, path, "/", NULL), count, all;
    struct buf b = {0}, gone = {0};
    uint32_t first = find(o->target, below, n), i = first;
    while (i < op_count && ops[sorted[i]].target == o->target && !strncmp(path_of(&ops[sorted[i]]), below, n))
        i++;
    while (i-- > first) {
        struct op *d = &ops[sorted[i]];
        if (d->type == DELETE && !d->error && !d->settled)
            d->error = apply(d);
    }
    uint32_t *lines = read_record(o->target, &b, &count, &all);
    while (count-- > 0) {
        const char *old = (char *)b.p + lines[count] + 1;
        int fd = strncmp(old, below, n) ? -1 : folder_of(o->target, old, &name, 0);
        if (fd >= 0 && !remove_at(fd, name)) {
            put(&gone, "-", 1);
            put(&gone, old, strlen(old) + 1);
        }
    }
    if (!write_all(targets[o->target].log, gone.p, gone.n) || ftruncate(targets[o->target].log, targets[o->target].log_size))
        targets[o->target].log_size += gone.n;
    release(&gone);
    free(lines);
    release(&b);
    forget_last();
    int fd = folder_of(o->target, path, &name, 0);
    if (fd < 0)
        return -fd;
    return !unlinkat(fd, name, AT_REMOVEDIR) ? 0 : errno == EEXIST ? ENOTEMPTY : errno;
}

static int copy_content(int from, int to) {
    static uint8_t piece[65536];
    ssize_t n;
    while ((n = read(from, piece, sizeof piece)) > 0) {
        int error = write_all(to, piece, n);
        if (error)
            return error;
    }
    return n < 0 ? errno : 0;
}

/* Copies a staged file to a place that it can't be renamed to. */
static int copy_staged(struct op *o, const char *staged, int fd, const char *name, int flags) {
    int stage = targets[o->target].stage;
    struct timespec times[2] = {time_of(o->mtime), time_of(o->mtime)};
    fchmodat(stage, staged, 0600, 0);
    int from = openat(stage, staged, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to = from < 0 ? -1 : openat(fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
    int error = to < 0 ? errno : copy_content(from, to);
    if (!error && flags & O_CREAT)
        error = fchmod(to, o->mode & 07777) < 0 ? errno : 0;
    else if (!error && fchmod(to, o->mode & 07777) < 0)
        error = 0; /* another's file: its content is what counts */
    if (!error)
        futimens(to, times);
    if (from >= 0)
        close(from);
    if (to >= 0 && close(to) < 0 && !error)
        error = errno;
    return error;
}

/* A mount below the target is another file system: the copy is made beside the place. */
static int place_beside(struct op *o, const char *staged, int fd, const char *name) {
    unlinkat(fd, BESIDE, 0);
    int error = o->type == LINK ? (symlinkat((char *)words.p + o->text, fd, BESIDE) < 0 ? errno : 0)
                                : copy_staged(o, staged, fd, BESIDE, O_CREAT | O_EXCL);
    if (!error && renameat(fd, BESIDE, fd, name) < 0)
        error = errno;
    if (error)
        unlinkat(fd, BESIDE, 0);
    return error;
}

static int apply_place(struct op *o) {
    const char *name;
    char staged[12];
    stage_name(o - ops, staged);
    int stage = stage_of(o->target);
    if (stage < 0)
        return -stage;
    if (o->type == LINK && !o->staged && symlinkat((char *)words.p + o->text, stage, staged) < 0)
        return errno;
    o->staged = 1;
    int error = EISDIR;
    for (int tries = 0; tries < 2 && error == EISDIR; tries++) {
        if (tries && (error = make_way(o)))
            return error;
        int fd = folder_of(o->target, path_of(o), &name, 1);
        if (fd < 0)
            return -fd;
        error = renameat(stage, staged, fd, name) < 0 ? errno : 0;
        if (!error)
            o->staged = 0;
        if (error == EXDEV)
            error = place_beside(o, staged, fd, name);
        if (error == EBUSY && o->type == PUT)
            error = copy_staged(o, staged, fd, name, O_TRUNC);
    }
    return error;
}

static int apply_folder(struct op *o) {
    const char *name;
    struct stat s;
    int fd = folder_of(o->target, path_of(o), &name, 1);
    if (fd < 0)
        return -fd;
    if (!mkdirat(fd, name, o->mode & 07777))
        return 0;
    if (errno != EEXIST)
        return errno;
    if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
        return errno;
    if (!S_ISDIR(s.st_mode)) {
        if (unlinkat(fd, name, 0) < 0 || mkdirat(fd, name, o->mode & 07777) < 0)
            return errno;
        return 0;
    }
    /* One that belongs to another can't be changed, and serves as it is. The bits above 0777 are inherited. */
    if ((s.st_mode & 0777) != (o->mode & 0777))
        fchmodat(fd, name, (s.st_mode & 07000) | (o->mode & 0777), AT_SYMLINK_NOFOLLOW);
    return 0;
}

static int apply_mode(struct op *o) {
    const char *name;
    struct stat s;
    struct timespec times[2] = {time_of(o->mtime), time_of(o->mtime)};
    int fd = folder_of(o->target, path_of(o), &name, 0);
    if (fd < 0)
        return -fd;
    if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
        return errno;
    if (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
        return ENOENT;
    if (fchmodat(fd, name, o->mode & 07777, AT_SYMLINK_NOFOLLOW) < 0)
        return errno;
    return utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

static int apply_once(struct op *o) {
    switch (o->type) {
    case MKDIR:
        return apply_folder(o);
    case CHMOD:
        return apply_mode(o);
    case DELETE:
        return apply_delete(o);
    default:
        return apply_place(o);
    }
}

/* Carries out an op; in a folder of ours that is read-only it is made writable for that while. */
static int apply(struct op *o) {
    const char *name;
    char path[40];
    struct stat s;
    int error = apply_once(o);
    int fd = error == EACCES ? folder_of(o->target, path_of(o), &name, 0) : -1;
    if (fd < 0 || fstat(fd, &s) < 0 || s.st_uid != geteuid() || (s.st_mode & 0300) == 0300)
        return error;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    join(path, sizeof path, "/proc/self/fd/", digits(fd), NULL);
    if (fd >= 0 && !chmod(path, (s.st_mode & 07777) | 0700)) {
        error = apply_once(o);
        chmod(path, s.st_mode & 07777);
    }
    close(fd);
    return error;
}

static void apply_all(uint64_t types, int backwards) {
    for (uint32_t i = 0; i < op_count; i++) {
        struct op *o = &ops[sorted[backwards ? op_count - 1 - i : i]];
        if (types >> o->type & 1 && !o->error && !o->settled) {
            o->error = apply(o);
            if (o->type == DELETE && !o->error && !o->settled)
                o->settled = 2;
        }
    }
}

static void write_log(int before) {
    static int told;
    for (int t = 0; t < target_count; t++) {
        struct buf b = {0};
        for (uint32_t i = 0; i < op_count; i++) {
            struct op *o = &ops[i];
            int made = SYNCS >> o->type & 1, mark = 0;
            if (o->target != t || (made && o->kind == 'x'))
                continue;
            if (before && made)
                mark = o->error ? (o->kind = 'x', 0) : '+';
            else if (!before && (made ? o->error != 0 : o->type == DELETE && !o->error && o->settled != 1))
                mark = made ? '!' : '-';
            if (mark) {
                put_number(&b, mark, 1);
                put(&b, path_of(o), o->n + 1);
            }
        }
        int error = b.n ? write_all(targets[t].log, b.p, b.n) : 0;
        if (error && !ftruncate(targets[t].log, targets[t].log_size))
            b.n = 0; /* half a line would run into the next */
        if (error && !told++)
            say("the record of synced files can't be written", strerror(error));
        targets[t].log_size += b.n;
        release(&b);
        if (!before && targets[t].log_size > 2 * targets[t].log_base + (1 << 17))
            shrink_log(t);
    }
}

static void acknowledge(uint32_t batch) {
    size_t at = begin(ACK, batch), count_at = out.n;
    uint32_t count = 0;
    put_number(&out, 0, 4);
    for (uint32_t i = 0; i < op_count; i++) {
        struct op *o = &ops[i];
        if (!o->error)
            continue;
        int full = out.n - at + o->n + 16 > LONGEST;
        put_number(&out, o->target, 1);
        put_number(&out, o->error, 2);
        put_text(&out, path_of(o), full ? 0 : o->n);
        count++;
        if (full)
            break;
    }
    for (int i = 0; i < 4; i++)
        out.p[count_at + i] = count >> (24 - 8 * i);
    end(at);
}

static void forget_batch(void) {
    end_file(EIO);
    for (uint32_t i = 0; i < op_count; i++)
        drop_staged(i);
    unstage();
    forget_last();
    free(ops);
    ops = NULL;
    op_count = op_cap = 0;
    release(&words);
}

static void tell_program(int what, int flags, uint32_t value);
static void hear_program(void);

static void commit(uint32_t batch, int flags) {
    int changed = op_count > 0;
    end_file(0);
    forget_last();
    sorted = grow(NULL, op_count * sizeof *sorted);
    for (uint32_t i = 0; i < op_count; i++)
        sorted[i] = i;
    sort(sorted, op_count, by_place);
    write_log(1);
    apply_all(1ull << MKDIR, 0);
    apply_all(1ull << PUT, 0);
    apply_all(1ull << LINK, 0);
    apply_all(1ull << CHMOD, 0);
    apply_all(1ull << DELETE, 1);
    write_log(0);
    free(sorted);
    sorted = NULL;
    int error = flags & COMPLETE ? note_last_batch(batch) : 0;
    if (error)
        say("the last batch can't be noted", strerror(error));
    hear_program(); /* a start before this moment is told before the ACK: it may have met the old files */
    acknowledge(batch);
    forget_batch();
    tell_program('C', (flags & COMPLETE) | (changed ? CHANGED : 0), 0);
}

/* ---- requests that take their time: one at a time, a step at a time ---- */

enum { IDLE, LISTING, READING, SEARCHING, RUNNING, ASKING };

static struct {
    int kind, target;
    uint32_t batch;
    struct buf rows; /* LISTING: of the frame to come */
    uint32_t row_count, left;
    struct buf paths; /* LISTING: u16 length and bytes, as in LIST */
    size_t at;
    int fd; /* LISTING, READING: the file that is open */
    struct sha sha;
    struct stat stat;
    char **folders; /* SEARCHING: still to be looked through */
    uint64_t *masks;
    size_t folder_count, folder_cap;
    char *parts[64];
    int part_count;
    char *pattern;
    pid_t pid; /* RUNNING */
    int pipes[2], status, ended;
} job = {.fd = -1, .pipes = {-1, -1}};

static int piece_read(int fd, uint8_t **piece, size_t most) {
    static uint8_t bytes[65536];
    *piece = bytes;
    ssize_t n;
    while ((n = read(fd, bytes, most < sizeof bytes ? most : sizeof bytes)) < 0 && errno == EINTR)
        ;
    return n;
}

static void end_job(void) {
    if (job.fd >= 0)
        close(job.fd);
    for (int i = 0; i < 2; i++)
        if (job.pipes[i] >= 0)
            close(job.pipes[i]);
    while (job.folder_count)
        free(job.folders[--job.folder_count]);
    free(job.folders);
    free(job.masks);
    free(job.pattern);
    release(&job.rows);
    release(&job.paths);
    memset(&job, 0, sizeof job);
    job.fd = job.pipes[0] = job.pipes[1] = -1;
}

/* -- LIST and RECORD -- */

/* What the job has found so far: ROWS or PATHS. */
static void send_found(int type, int is_last) {
    size_t at = begin(type, job.batch);
    if (type == ROWS)
        put_number(&out, job.target, 1);
    put_number(&out, is_last, 1);
    put_number(&out, job.row_count, 4);
    put(&out, job.rows.p, job.rows.n);
    end(at);
    job.rows.n = job.row_count = 0;
    if (is_last)
        end_job();
}

static void row_head(const char *path, size_t n, char kind) {
    const struct stat *s = &job.stat;
    int known = kind != '-' && kind != '!';
    put_text(&job.rows, path, n);
    put_number(&job.rows, kind, 1);
    put_number(&job.rows, known ? s->st_mode & 07777 : 0, 2);
    put_number(&job.rows, known ? s->st_size : 0, 8);
    put_number(&job.rows, known ? ns_of(s->st_mtim) : 0, 8);
    job.row_count++;
}

/* Starts a path's row; a file stays open in `job.fd` until its hash is there. */
static void start_row(const char *raw, size_t n) {
    char path[n + 1], text[PATH_MAX];
    const char *name;
    memcpy(path, raw, n);
    path[n] = 0;
    int fd = is_allowed(path, n) ? folder_of(job.target, path, &name, 0) : -EPERM;
    if (fd >= 0 && fstatat(fd, name, &job.stat, AT_SYMLINK_NOFOLLOW) < 0)
        fd = -errno;
    if (fd < 0) {
        row_head(path, n, fd == -ENOENT || fd == -ENOTDIR ? '-' : '!');
    } else if (S_ISREG(job.stat.st_mode)) {
        job.fd = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (job.fd < 0 || fstat(job.fd, &job.stat) < 0)
            row_head(path, n, '!');
        sha_start(&job.sha);
    } else if (S_ISLNK(job.stat.st_mode)) {
        ssize_t size = readlinkat(fd, name, text, sizeof text);
        row_head(path, n, size < 0 ? '!' : 'l');
        if (size >= 0)
            put_text(&job.rows, text, size);
    } else {
        row_head(path, n, S_ISDIR(job.stat.st_mode) ? 'd' : 'o');
    }
}

static void hash_more(const char *path, size_t n) {
    uint8_t *piece, digest[32];
    int got = 1;
    for (int i = 0; i < 16 && got > 0; i++)
        if ((got = piece_read(job.fd, &piece, 65536)) > 0)
            sha_add(&job.sha, piece, got);
    if (got > 0)
        return;
    close(job.fd);
    job.fd = -1;
    row_head(path, n, got < 0 ? '!' : 'f');
    if (got < 0)
        return;
    sha_end(&job.sha, digest);
    put(&job.rows, digest, 32);
}

static void step_listing(void) {
    for (int i = 0; i < 64 && job.left; i++) {
        uint8_t *p = job.paths.p + job.at;
        size_t n = number_at(p, 2);
        if (job.fd < 0)
            start_row((char *)p + 2, n);
        if (job.fd >= 0)
            hash_more((char *)p + 2, n);
        if (job.fd >= 0)
            return;
        job.at += 2 + n;
        job.left--;
        if (job.rows.n >= PIECE && job.left)
            send_found(ROWS, 0);
    }
    if (!job.left) {
        forget_last();
        send_found(ROWS, 1);
    }
}

static void start_record(int target, uint32_t batch) {
    struct buf b = {0};
    size_t count, all;
    uint32_t *lines = read_record(target, &b, &count, &all);
    job.kind = LISTING;
    job.target = target;
    job.batch = batch;
    job.left = count;
    for (size_t i = 0; i < count; i++)
        put_text(&job.paths, b.p + lines[i] + 1, strlen((char *)b.p + lines[i] + 1));
    free(lines);
    release(&b);
    forget_last();
}

/* -- GET -- */

static void step_reading(void) {
    uint8_t *piece;
    /* To its end, whatever its size was: files of /proc have none. */
    int n = piece_read(job.fd, &piece, PIECE);
    if (n > 0) {
        send_bytes(CONTENT, job.batch, piece, n);
        return;
    }
    send_errno(job.batch, n < 0 ? errno : 0);
    end_job();
}

static int open_file(int target, const char *path, size_t n, char *text, ssize_t *size) {
    const char *name = path;
    int at = AT_FDCWD;
    *size = -1;
    if (target == ABSOLUTE ? path[0] != '/' || memchr(path, 0, n) : !is_allowed(path, n))
        return -EPERM;
    if (target != ABSOLUTE && (at = folder_of(target, path, &name, 0)) < 0)
        return at;
    if (fstatat(at, name, &job.stat, target == ABSOLUTE ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISLNK(job.stat.st_mode)) {
        *size = readlinkat(at, name, text, PATH_MAX);
        return *size < 0 ? -errno : 0;
    }
    if (!S_ISREG(job.stat.st_mode))
        return S_ISDIR(job.stat.st_mode) ? -EISDIR : -EINVAL;
    int fd = openat(at, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (target == ABSOLUTE ? 0 : O_NOFOLLOW));
    return fd < 0 || fstat(fd, &job.stat) < 0 ? -errno : fd;
}

static void start_reading(int target, uint32_t batch, const char *raw, size_t n) {
    char path[n + 1], text[PATH_MAX];
    ssize_t size;
    memcpy(path, raw, n);
    path[n] = 0;
    forget_last();
    int fd = open_file(target, path, n, text, &size);
    forget_last();
    if (fd < 0) {
        send_errno(batch, -fd);
        return;
    }
    size_t at = begin(FILE_, batch);
    put_number(&out, size >= 0 ? 'l' : 'f', 1);
    put_number(&out, job.stat.st_mode & 07777, 2);
    put_number(&out, size >= 0 ? size : job.stat.st_size, 8);
    put_number(&out, ns_of(job.stat.st_mtim), 8);
    put_text(&out, path, n);
    end(at);
    if (size >= 0) {
        send_bytes(CONTENT, batch, text, size);
        send_done(batch, 0, "");
        return;
    }
    job.kind = READING;
    job.batch = batch;
    job.fd = fd;
}

/* -- GLOB: each folder has the parts of the pattern (bits) that its entries are matched with -- */

static int in_class(const char **pattern, unsigned char c) {
    const char *p = *pattern + 1;
    int not = *p == '!' || *p == '^', hit = 0;
    p += not;
    for (const char *first = p; *p && (*p != ']' || p == first); p++) {
        unsigned char low = *p, high = low;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            high = p[2];
            p += 2;
        }
        hit |= low <= c && c <= high;
    }
    if (!*p)
        return -1;
    *pattern = p + 1;
    return hit != not;
}

static int matches(const char *pattern, const char *name) {
    const char *star = NULL, *again = NULL;
    while (*name) {
        const char *next = pattern;
        int hit = 0;
        if (*pattern == '*') {
            star = ++pattern;
            again = name;
            continue;
        }
        if (*pattern == '[')
            hit = in_class(&next, *name);
        if (hit < 0 || (*pattern && *pattern != '[')) {
            hit = hit < 0 ? *name == '[' : *pattern == '?' || *pattern == *name;
            next = pattern + 1;
        }
        if (hit) {
            pattern = next;
            name++;
        } else if (star) {
            pattern = star;
            name = ++again;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static int is_deep(int part) {
    return !strcmp(job.parts[part], "**");
}

static uint64_t from_part(int part) {
    uint64_t mask = 0;
    for (; part < job.part_count; part++) {
        mask |= 1ull << part;
        if (!is_deep(part))
            break;
    }
    return mask;
}

static void search_later(char *path, uint64_t mask) {
    if (job.folder_count == job.folder_cap) {
        job.folder_cap = job.folder_cap * 2 + 16;
        job.folders = grow(job.folders, job.folder_cap * sizeof *job.folders);
        job.masks = grow(job.masks, job.folder_cap * sizeof *job.masks);
    }
    job.folders[job.folder_count] = path;
    job.masks[job.folder_count++] = mask;
}

static void found(const char *path) {
    put_text(&job.rows, path, strlen(path));
    job.row_count++;
    if (job.rows.n >= PIECE)
        send_found(PATHS, 0);
}

static void look_at(const char *folder, const struct dirent *entry, uint64_t mask) {
    const char *name = entry->d_name;
    size_t n = strlen(folder) + strlen(name) + 2;
    char path[n];
    uint64_t below = 0, deep = 0;
    int hit = 0;
    if (n > 65000)
        return;
    join(path, n, folder, "/", name, NULL);
    for (int i = 0; i < job.part_count; i++) {
        if (!(mask >> i & 1) || (!is_deep(i) && !matches(job.parts[i], name)))
            continue;
        hit |= i == job.part_count - 1;
        if (is_deep(i))
            deep |= from_part(i);
        else
            below |= from_part(i + 1);
    }
    if (hit)
        found(path);
    struct stat s;
    if (!(below | deep) || (entry->d_type == DT_REG) || lstat(path, &s) < 0)
        return;
    /* `**` follows no links (they may go in circles) and stays out of what the kernel makes up. */
    if (S_ISLNK(s.st_mode) || !strcmp(path, "/proc") || !strcmp(path, "/sys"))
        deep = 0;
    if ((below | deep) && !stat(path, &s) && S_ISDIR(s.st_mode))
        search_later(strcpy(grow(NULL, n), path), below | deep);
}

static void step_searching(void) {
    if (!job.folder_count) {
        send_found(PATHS, 1);
        return;
    }
    char *folder = job.folders[--job.folder_count];
    uint64_t mask = job.masks[job.folder_count];
    DIR *d = opendir(*folder ? folder : "/");
    struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && strcmp(entry->d_name, STAGE))
            look_at(folder, entry, mask);
    if (d)
        closedir(d);
    free(folder);
}

static int is_wild(const char *part) {
    return strchr(part, '*') || strchr(part, '?') || strchr(part, '[');
}

static void start_searching(uint32_t batch, const char *pattern, size_t n) {
    job.kind = SEARCHING;
    job.batch = batch;
    job.pattern = grow(NULL, n + 1);
    memcpy(job.pattern, pattern, n);
    job.pattern[n] = 0;
    char *root = grow(NULL, n + 1), *end = root;
    *end = 0;
    if (n && pattern[0] == '/' && !memchr(pattern, 0, n))
        for (char *p = job.pattern, *slash; *p && job.part_count < 64; p = slash + (slash < job.pattern + n)) {
            for (slash = p; *slash && *slash != '/'; slash++)
                ;
            if (slash > p)
                job.parts[job.part_count++] = p;
            *slash = 0;
        }
    int first = 0;
    for (; first < job.part_count - 1 && !is_wild(job.parts[first]); first++)
        end += join(end, n + 1 - (end - root), "/", job.parts[first], NULL);
    if (job.part_count && job.part_count < 64)
        search_later(root, from_part(first));
    else
        free(root);
}

/* -- EXEC -- */

static void step_running(int stream) {
    uint8_t *piece;
    int n = piece_read(job.pipes[stream], &piece, 32768);
    if (n > 0) {
        size_t at = begin(OUTPUT, job.batch);
        put_number(&out, stream + 1, 1);
        put(&out, piece, n);
        end(at);
    } else if (n == 0 || errno != EAGAIN) {
        close(job.pipes[stream]);
        job.pipes[stream] = -1;
    }
}

/* The command has ended: what it printed is still to be told. A child that it left may hold the pipes for ever. */
static void finish_running(void) {
    for (int i = 0; i < 2; i++)
        while (job.pipes[i] >= 0 && out_waiting() < OUT_FULL) {
            struct pollfd p = {job.pipes[i], POLLIN, 0};
            if (poll(&p, 1, 0) < 1)
                break;
            step_running(i);
        }
    if (out_waiting() >= OUT_FULL)
        return;
    send_done(job.batch, job.status, "");
    end_job();
}

static void start_running(uint32_t batch, char **argv) {
    int in = open("/dev/null", O_RDWR | O_CLOEXEC), one[2] = {-1, -1}, two[2] = {-1, -1};
    pid_t pid = -EMFILE;
    if (in >= 0 && !pipe2(one, O_CLOEXEC) && !pipe2(two, O_CLOEXEC))
        pid = start(argv, (int[3]){in, one[1], two[1]});
    int given[] = {in, one[1], two[1]};
    for (int i = 0; i < 3; i++)
        if (given[i] >= 0)
            close(given[i]);
    job.kind = RUNNING;
    job.batch = batch;
    job.pid = pid;
    job.pipes[0] = one[0];
    job.pipes[1] = two[0];
    for (int i = 0; i < 2; i++)
        fcntl(job.pipes[i], F_SETFL, O_NONBLOCK);
    if (pid < 0) {
        char text[300];
        join(text, sizeof text, argv[0], ": ", strerror(-pid), NULL);
        send_done(batch, pid == -ENOENT ? 127 : 126, text);
        end_job();
    }
}

static void reap(void) {
    int status;
    pid_t pid;
    child_ended = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (job.kind == RUNNING && pid == job.pid) {
            job.ended = 1;
            job.status = code_of(status);
        }
}

/* ---- serve ---- */

static struct buf in;
static size_t in_at, in_seen; /* what was dealt with; up to where PINGs were answered already */
static uint32_t owed;
static int lock_fd = -1, holder_fd = -1, control_fd = -1;
static int64_t heard;

static void leave(int code) {
    forget_batch();
    if (lock_fd >= 0)
        close(lock_fd);
    if (job.kind == RUNNING && !job.ended)
        end_group(job.pid, 0);
    _exit(code);
}

static void fail(int code, const char *text) {
    size_t at = begin(FAILED, 0);
    put_number(&out, code, 2);
    put_text(&out, text, strlen(text));
    end(at);
    forget_batch();
    flush_for(1000);
    leave(1);
}

static void fail_about(int code, const char *what, const char *why) {
    char text[PATH_MAX + 200];
    join(text, sizeof text, what, ": ", why, NULL);
    fail(code, text);
}

/* What is left of a frame; reading more than there is ends the stream. */
struct reader {
    const uint8_t *p, *end;
};

static uint64_t read_number(struct reader *r, int bytes) {
    if (r->end - r->p < bytes)
        fail(FAILED_PROTOCOL, "a frame is cut off");
    r->p += bytes;
    return number_at(r->p - bytes, bytes);
}

static const char *read_text(struct reader *r, size_t *n) {
    *n = read_number(r, 2);
    if ((size_t)(r->end - r->p) < *n)
        fail(FAILED_PROTOCOL, "a frame is cut off");
    r->p += *n;
    return (const char *)r->p - *n;
}

static char *copy_text(struct reader *r) {
    size_t n;
    const char *raw = read_text(r, &n);
    char *text = grow(NULL, n + 1);
    memcpy(text, raw, n);
    text[n] = 0;
    if (strlen(text) != n)
        fail(FAILED_PROTOCOL, "a text has a NUL in it");
    return text;
}

static void read_end(struct reader *r) {
    if (r->p != r->end)
        fail(FAILED_PROTOCOL, "a frame is too long");
}

static int read_target(struct reader *r, int absolute) {
    int target = read_number(r, 1);
    if (target >= target_count && !(absolute && target == ABSOLUTE))
        fail(FAILED_PROTOCOL, "no such target");
    return target;
}

static void tell_program(int what, int flags, uint32_t value) {
    struct ask ask = {what, flags, value};
    if (control_fd >= 0 && send(control_fd, &ask, sizeof ask, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        close(control_fd);
        control_fd = -1;
    }
}

static void hear_program(void) {
    struct told told;
    ssize_t n;
    while (control_fd >= 0 && (n = recv(control_fd, &told, sizeof told, MSG_DONTWAIT)) != -1) {
        if (n < (ssize_t)sizeof told) {
            close(control_fd);
            control_fd = -1;
        } else if (told.what == 'D' && job.kind == ASKING) {
            send_done(job.batch, told.status, told.text);
            end_job();
        } else if (told.what == 'T') {
            size_t at = begin(STATE, 0);
            put_number(&out, told.state, 1);
            put_number(&out, told.process, 4);
            put_number(&out, (uint32_t)told.code, 4);
            put_number(&out, told.synced, 1);
            put_number(&out, told.starts, 4);
            end(at);
        }
    }
    if (control_fd < 0 && job.kind == ASKING) {
        send_done(job.batch, ENOTCONN, "the agent that started the program does not answer");
        end_job();
    }
}

static void ask_program(uint32_t batch, int what, int flags, uint32_t value) {
    tell_program(what, flags, value);
    if (control_fd < 0) {
        send_done(batch, ENOTCONN, "no program of this container is the agent's");
        return;
    }
    job.kind = ASKING;
    job.batch = batch;
}

static void boot_id(uint8_t id[16]) {
    for (int tries = 0; tries < 2; tries++) {
        int fd = openat(state_fd, "boot", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, id, 16);
        if (fd >= 0)
            close(fd);
        if (n == 16)
            return;
        if (getrandom(id, 16, 0) != 16)
            fail(FAILED_INTERNAL, "no random numbers");
        unlinkat(state_fd, "boot", 0);
        fd = openat(state_fd, "boot", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 || write_all(fd, id, 16))
            fail_about(FAILED_INTERNAL, state_name, strerror(errno));
        close(fd);
    }
}

/* Tells the one who holds this pod to end; gives its process, which is killed if it does not. */
static pid_t ask_holder_to_go(const char *holder) {
    struct ucred who = {0};
    socklen_t n = sizeof who;
    int fd = connect_to("holder");
    if (fd < 0)
        return 0;
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n);
    send(fd, holder, strlen(holder), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
    return who.pid;
}

static void lock_pod(const char *holder, int take_over) {
    char other[1024];
    lock_fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_fd < 0)
        fail_about(FAILED_INTERNAL, state_name, strerror(errno));
    int held = flock(lock_fd, LOCK_EX | LOCK_NB) < 0;
    pid_t pid = held && take_over ? ask_holder_to_go(holder) : 0;
    for (int i = 0; held && take_over && i < 500; i++) {
        usleep(10000);
        held = flock(lock_fd, LOCK_EX | LOCK_NB) < 0;
        if (i == 200 && held && pid > 1)
            kill(pid, SIGKILL);
    }
    if (held) {
        ssize_t n = pread(lock_fd, other, sizeof other - 1, 0);
        other[n > 0 ? n : 0] = 0;
        close(lock_fd);
        lock_fd = -1;
        fail(FAILED_HELD, other);
    }
    if (ftruncate(lock_fd, 0) < 0 || pwrite(lock_fd, holder, strlen(holder), 0) < 0)
        say("the holder can't be noted", strerror(errno));
    holder_fd = listen_at("holder");
}

static void open_target(int i, char *name) {
    struct target *t = &targets[i];
    *t = (struct target){name, -1, -1, -1, 0, 0};
    int error = name[0] == '/' ? make_folders(name) : EINVAL;
    if (!error)
        t->fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->fd < 0)
        fail_about(FAILED_TARGET, name, strerror(error ? error : errno));
    error = open_log(i);
    if (error)
        fail_about(FAILED_INTERNAL, state_name, strerror(error));
    remove_all(t->fd, STAGE);
}

static void greet(uint32_t batch, struct reader *r) {
    uint8_t boot[16] = {0};
    uint32_t committed = 0;
    int version = read_number(r, 2);
    if (version != VERSION)
        fail(FAILED_VERSION, "this agent speaks version 1");
    if (targets)
        fail(FAILED_PROTOCOL, "HELLO comes once");
    int flags = read_number(r, 1);
    char *holder = copy_text(r);
    int count = read_number(r, 1);
    char *names[256];
    for (int i = 0; i < count; i++)
        names[i] = copy_text(r);
    read_end(r);
    int error = open_state();
    if (error && count)
        fail_about(FAILED_INTERNAL, state_name, strerror(error));
    if (count) /* who only looks holds nothing */
        lock_pod(holder, flags & 1);
    free(holder);
    targets = grow(NULL, (count + 1) * sizeof *targets);
    for (; target_count < count; target_count++)
        open_target(target_count, names[target_count]);
    if (!error)
        boot_id(boot);
    last_batch(&committed);
    control_fd = connect_to("control");
    size_t at = begin(WELCOME, batch);
    put_number(&out, VERSION, 2);
    put_number(&out, geteuid(), 4);
    put_number(&out, control_fd >= 0, 1);
    put(&out, boot, 16);
    put_number(&out, committed, 4);
    end(at);
}

static void take_put(struct reader *r) {
    size_t n;
    int target = read_target(r, 0), mode = read_number(r, 2);
    int64_t mtime = read_number(r, 8);
    uint64_t size = read_number(r, 8);
    const char *path = read_text(r, &n);
    end_file(0);
    struct op *o = new_op(PUT, target, path, n);
    o->mode = mode;
    o->mtime = mtime;
    start_file(o, size, r->p, r->end - r->p);
    r->p = r->end;
}

static void take_link(struct reader *r) {
    size_t n, text_n;
    int target = read_target(r, 0);
    const char *path = read_text(r, &n), *text = read_text(r, &text_n);
    struct op *o = new_op(LINK, target, path, n);
    o->text = keep_words(text, text_n);
    if (!o->error && (!text_n || memchr(text, 0, text_n)))
        o->error = text_n ? EINVAL : ENOENT;
}

/* What belongs to a batch. */
static void take_op(int type, struct reader *r) {
    size_t n;
    if (type == DATA) {
        if (!op_count || ops[op_count - 1].type != PUT)
            fail(FAILED_PROTOCOL, "DATA follows a PUT");
        more_content(r->p, r->end - r->p);
        return;
    }
    if (type == PUT) {
        take_put(r);
        return;
    }
    end_file(0);
    if (type == LINK) {
        take_link(r);
    } else {
        int target = read_target(r, 0), mode = read_number(r, type == DELETE ? 1 : 2);
        int64_t mtime = type == CHMOD ? read_number(r, 8) : 0;
        const char *path = read_text(r, &n);
        struct op *o = new_op(type, target, path, n);
        o->mode = mode;
        o->kind = type == DELETE ? mode : 0;
        o->mtime = mtime;
    }
    read_end(r);
}

static void take_list(uint32_t batch, struct reader *r) {
    job.target = read_target(r, 0);
    job.left = read_number(r, 4);
    job.kind = LISTING;
    job.batch = batch;
    put(&job.paths, r->p, r->end - r->p);
    size_t n;
    for (uint32_t i = 0; i < job.left; i++)
        read_text(r, &n);
    read_end(r);
    forget_last();
}

static void take_exec(uint32_t batch, struct reader *r) {
    char *argv[256];
    int count = read_number(r, 1);
    for (int i = 0; i < count; i++)
        argv[i] = copy_text(r);
    argv[count] = NULL;
    read_end(r);
    if (count)
        start_running(batch, argv);
    else
        send_errno(batch, EINVAL);
    while (count)
        free(argv[--count]);
}

static void take_request(int type, uint32_t batch, struct reader *r) {
    size_t n;
    const char *text;
    uint32_t value;
    switch (type) {
    case LIST:
        take_list(batch, r);
        break;
    case RECORD:
        value = read_target(r, 0);
        read_end(r);
        start_record(value, batch);
        break;
    case COMMIT:
        value = read_number(r, 1);
        read_end(r);
        commit(batch, value);
        break;
    case RESTART:
    case SIGNAL:
        value = read_number(r, type == RESTART ? 4 : 1);
        read_end(r);
        ask_program(batch, type == RESTART ? 'R' : 'S', 0, value);
        break;
    case EXEC:
        take_exec(batch, r);
        break;
    case GET:
        value = read_target(r, 1);
        text = read_text(r, &n);
        read_end(r);
        start_reading(value, batch, text, n);
        break;
    case GLOB:
        text = read_text(r, &n);
        read_end(r);
        start_searching(batch, text, n);
        break;
    default:
        fail(FAILED_PROTOCOL, "a frame of unknown type");
    }
}

static void take(int type, uint32_t batch, struct reader *r) {
    if (type == PING)
        send_bytes(PONG, batch, r->p, r->end - r->p);
    else if (type == BYE)
        leave((flush_for(1000), 0));
    else if (type == HELLO)
        greet(batch, r);
    else if (!targets)
        fail(FAILED_PROTOCOL, "HELLO comes first");
    else if (type >= MKDIR && type <= DELETE)
        take_op(type, r);
    else
        take_request(type, batch, r);
}

/* The length of the frame at a place of the input, 0 while it is not all there. */
static size_t frame_at(size_t at) {
    if (in.n - at < 4)
        return 0;
    uint64_t n = number_at(in.p + at, 4);
    if (n < 5 || n > LONGEST)
        fail(FAILED_PROTOCOL, "a frame of impossible length");
    return in.n - at < n + 4 ? 0 : n + 4;
}

static void credit(uint32_t n) {
    owed += n;
    if (owed < CREDIT_AFTER)
        return;
    size_t at = begin(CREDIT, 0);
    put_number(&out, owed, 4);
    end(at);
    owed = 0;
}

/* While a request takes its time the others wait, but for a PING, which proves the way, and a BYE. */
static void answer_pings(void) {
    size_t n;
    if (in_seen < in_at)
        in_seen = in_at;
    for (; (n = frame_at(in_seen)); in_seen += n) {
        uint8_t *type = in.p + in_seen + 4;
        struct reader r = {type + 5, in.p + in_seen + n};
        if (*type == PING || *type == BYE)
            take(*type, number_at(type + 1, 4), &r);
        if (*type == PING)
            *type = 0; /* answered */
    }
}

static void step(void) {
    if (job.kind == LISTING)
        step_listing();
    else if (job.kind == READING)
        step_reading();
    else if (job.kind == SEARCHING)
        step_searching();
    else if (job.kind == RUNNING && job.ended)
        finish_running();
}

static int is_busy(void) {
    return (job.kind == LISTING || job.kind == READING || job.kind == SEARCHING) && out_waiting() < OUT_BUSY;
}

/* Deals with what has come until nothing is left, or a request takes its time. */
static void work(void) {
    size_t n;
    for (int steps = 0; out_waiting() < OUT_FULL;) {
        if (job.kind == IDLE) {
            if (!(n = frame_at(in_at)))
                break;
            uint8_t *p = in.p + in_at;
            struct reader r = {p + 9, p + n};
            if (p[4] || in_at >= in_seen)
                take(p[4], number_at(p + 5, 4), &r);
            in_at += n;
            credit(n);
        } else if (job.kind == RUNNING ? job.ended : is_busy()) {
            if (steps++ == 4)
                break;
            step();
        } else {
            break;
        }
    }
    if (job.kind != IDLE)
        answer_pings();
    if (in_at == in.n)
        in_at = in_seen = in.n = 0;
    if (!in.n && in.cap > LONGEST + 4)
        release(&in);
}

static int hear(void) {
    if (in_at && in.cap - in.n < 65536) {
        memmove(in.p, in.p + in_at, in.n - in_at);
        in.n -= in_at;
        in_seen = in_seen > in_at ? in_seen - in_at : 0;
        in_at = 0;
    }
    if (!in.cap)
        in.p = grow(NULL, in.cap = LONGEST + 4);
    else if (in.n == in.cap)
        reserve(&in, LONGEST);
    ssize_t n = read(0, in.p + in.n, in.cap - in.n);
    if (n > 0) {
        in.n += n;
        heard = now_ms();
    }
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void give_way(void) {
    char holder[1024];
    int fd = accept4(holder_fd, NULL, NULL, SOCK_CLOEXEC);
    struct pollfd p = {fd, POLLIN, 0};
    ssize_t n = fd >= 0 && poll(&p, 1, 1000) == 1 ? recv(fd, holder, sizeof holder - 1, MSG_DONTWAIT) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return;
    holder[n] = 0;
    fail(FAILED_HELD, holder);
}

static void serve(void) {
    long silence = environment_ms("DEVENV_AGENT_SILENCE_MS", SILENCE_MS);
    heard = now_ms();
    for (;;) {
        if (child_ended)
            reap();
        work();
        if (flush() < 0 || asked_to_end)
            leave(0);
        int listens = out_waiting() < OUT_FULL && in.n - in_at < IN_FULL;
        int runs = job.kind == RUNNING && out_waiting() < OUT_BUSY;
        struct pollfd p[] = {{listens ? 0 : -1, POLLIN, 0},
                             {1, out_waiting() ? POLLOUT : 0, 0},
                             {control_fd, POLLIN, 0},
                             {holder_fd, POLLIN, 0},
                             {runs ? job.pipes[0] : -1, POLLIN, 0},
                             {runs ? job.pipes[1] : -1, POLLIN, 0}};
        int64_t left = heard + silence - now_ms();
        int ready = wait_for(p, 6, is_busy() || (job.kind == RUNNING && job.ended && runs) ? 0 : left > 0 ? left : 0);
        if (ready < 0)
            continue;
        if (p[0].revents && !hear())
            leave(0);
        if (p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
            leave(0);
        if (p[2].revents)
            hear_program();
        if (p[3].revents)
            give_way();
        for (int i = 0; i < 2; i++)
            if (p[4 + i].revents && job.kind == RUNNING && job.pipes[i] >= 0)
                step_running(i);
        if (now_ms() - heard >= silence && !(listens && p[0].revents))
            leave(0);
    }
}

static void prepare_stream(void) {
    old_umask = umask(0);
    block_signals();
    on_signal(SIGCHLD, on_child);
    on_signal(SIGTERM, on_end);
    on_signal(SIGINT, on_end);
    on_signal(SIGHUP, on_end);
    on_signal(SIGPIPE, SIG_IGN);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
}

/* `run`: one command, whose end is the stream's. */
static int main_run(char **argv) {
    static uint8_t ignored[4096];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prepare_stream();
    start_running(0, argv);
    pid_t pid = job.pid;
    int code = job.kind == RUNNING ? 0 : 127;
    while (job.kind == RUNNING || out_waiting()) {
        if (child_ended)
            reap();
        if (job.ended) {
            code = job.status;
            finish_running();
        }
        int lost = flush() < 0 || asked_to_end;
        int runs = job.kind == RUNNING && out_waiting() < OUT_BUSY;
        struct pollfd p[] = {{0, POLLIN, 0},
                             {1, out_waiting() ? POLLOUT : 0, 0},
                             {runs ? job.pipes[0] : -1, POLLIN, 0},
                             {runs ? job.pipes[1] : -1, POLLIN, 0}};
        if (!lost && (job.kind == RUNNING || out_waiting()) && wait_for(p, 4, -1) < 0)
            continue;
        if (p[0].revents && read(0, ignored, sizeof ignored) <= 0)
            lost = 1;
        if (lost || p[1].revents & (POLLERR | POLLHUP | POLLNVAL)) {
            if (job.kind == RUNNING)
                end_group(pid, 1);
            return 1;
        }
        for (int i = 0; i < 2; i++)
            if (p[2 + i].revents && job.kind == RUNNING && job.pipes[i] >= 0)
                step_running(i);
    }
    return code;
}

/* ---- init: the container's first process ---- */

#define CLIENTS 16
#define RETRIES 5

static volatile sig_atomic_t came[65];

static struct {
    char **argv;
    int state, synced, code, listener;
    pid_t pid;
    uint32_t starts, tries;
    int restarting; /* the program is being ended, to be started anew */
    int ending;     /* the signal that asked the container to end */
    int64_t gate_at, retry_at, kill_at, started, saved, unit;
    long grace;
    struct {
        int fd, waits; /* waits: a RESTART is to be answered */
    } clients[CLIENTS];
} box = {.listener = -1, .gate_at = -1, .retry_at = -1, .kill_at = -1, .saved = -1};

static void on_any(int number) {
    came[number] = 1;
}

static void tell(int client, const struct told *told) {
    if (box.clients[client].fd < 0 || send(box.clients[client].fd, told, sizeof *told, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        return;
    close(box.clients[client].fd);
    box.clients[client].fd = -1;
}

static struct told state_of_program(void) {
    return (struct told){.what = 'T', .state = box.state, .synced = box.synced, .process = box.pid, .code = box.code,
                         .starts = box.starts};
}

static void become(int state) {
    box.state = state;
    struct told told = state_of_program();
    for (int i = 0; i < CLIENTS; i++)
        tell(i, &told);
}

static void answer(int client, int error, const char *text) {
    struct told told = {.what = 'D', .status = error};
    join(told.text, sizeof told.text, text, NULL);
    box.clients[client].waits = 0;
    tell(client, &told);
}

static void answer_waiting(int error, const char *text) {
    for (int i = 0; i < CLIENTS; i++)
        if (box.clients[i].waits)
            answer(i, error, text);
}

static const char *signal_name(int number) {
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGKILL, "KILL: out of memory, perhaps"}, {SIGSEGV, "SEGV"}, {SIGABRT, "ABRT"}, {SIGTERM, "TERM"},
                 {SIGINT, "INT"}, {SIGHUP, "HUP"}, {SIGQUIT, "QUIT"}, {SIGBUS, "BUS"}, {SIGILL, "ILL"}, {SIGFPE, "FPE"},
                 {SIGPIPE, "PIPE"}, {SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}, {SIGSYS, "SYS"}, {SIGALRM, "ALRM"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return "no name";
}

/* Why a program can't be started, for whoever looks at the container's log. */
static void explain_start(int error) {
    char text[900];
    const char *path = getenv("PATH"), *name = box.argv[0];
    if (error == ENOENT && !strchr(name, '/'))
        join(text, sizeof text, name, " was not found in PATH=", path ? path : "", NULL);
    else if (error == ENOENT)
        join(text, sizeof text, name, " does not exist, or what its first line names does not", NULL);
    else if (error == ENOEXEC)
        join(text, sizeof text, name, " is no program for this machine, or a script without a first line #!", NULL);
    else
        join(text, sizeof text, name, " can't be run: ", strerror(error), NULL);
    say(text, NULL);
}

/* What a crashed program left behind in its group ends before the next start. Once nobody is left in it, its number may
 * become another's. */
static void look_for_group(void) {
    if (box.state == CRASHED && box.pid > 0 && kill(-box.pid, 0) < 0 && errno == ESRCH)
        box.pid = 0;
}

/* A crash that came soon after a save is the save's; another one may pass by itself. */
static void crashed(int status) {
    char text[200], how[80] = "", next[80] = "the next save starts it again";
    int64_t now = now_ms();
    int by_save = box.saved >= 0 && now - box.saved < 10 * box.unit;
    if (box.starts && now - box.started >= 60 * box.unit)
        box.tries = 0;
    box.retry_at = -1;
    if (!by_save && box.tries < RETRIES) {
        long wait = box.unit << box.tries++;
        box.retry_at = now + wait;
        join(next, sizeof next, "it is started again in ", digits((wait + 999) / 1000), " s, or by the next save", NULL);
    }
    if (WIFSIGNALED(status))
        join(how, sizeof how, " (signal ", digits(WTERMSIG(status)), ", ", signal_name(WTERMSIG(status)), ")", NULL);
    join(text, sizeof text, "the program ended with code ", digits(box.code), how, "; ", next, NULL);
    say(text, NULL);
    box.state = CRASHED;
    look_for_group();
    become(CRASHED);
}

static void start_program(void) {
    look_for_group();
    if (box.state == CRASHED && box.pid > 0)
        kill(-box.pid, SIGKILL);
    box.restarting = 0;
    box.kill_at = box.retry_at = box.gate_at = -1;
    pid_t pid = start(box.argv, (int[3]){-1, -1, -1});
    box.started = now_ms();
    if (pid < 0) {
        explain_start(-pid);
        box.code = pid == -ENOENT ? 127 : 126;
        box.pid = 0;
        /* At first it is a fault of the configuration, which Kubernetes shows; later one of a save, which the next mends. */
        if (!box.starts)
            _exit(box.code);
        answer_waiting(-pid, strerror(-pid));
        box.tries = RETRIES;
        crashed(box.code << 8);
        return;
    }
    box.pid = pid;
    box.code = 0;
    box.starts++;
    become(RUNS);
    answer_waiting(0, "");
}

static void finish(int code) {
    box.code = code;
    become(ENDED);
    /* As process 1 we take all with us; in a shared process namespace only the group is ours. */
    if (box.pid > 0)
        kill(-box.pid, SIGKILL);
    _exit(code);
}

static void program_ended(int status) {
    box.code = code_of(status);
    if (box.ending || (box.code == 0 && !box.restarting))
        finish(box.code);
    if (box.restarting)
        return; /* its group may still be ending */
    kill(-box.pid, SIGTERM);
    crashed(status);
}

static void reap_all(void) {
    int status;
    pid_t pid;
    came[SIGCHLD] = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == box.pid && box.state == RUNS && !box.restarting)
            program_ended(status);
        else if (pid == box.pid && box.restarting == 1) {
            box.restarting = 2;
            program_ended(status);
        }
    look_for_group();
}

static void restart(long grace) {
    box.saved = now_ms();
    box.tries = 0;
    if (box.restarting)
        return;
    if (box.state != RUNS) {
        start_program();
        return;
    }
    box.restarting = 1;
    box.kill_at = now_ms() + grace;
    kill(-box.pid, SIGTERM);
    kill(-box.pid, SIGCONT);
}

/* Looks whether the old program and its group are gone; after the grace they are killed. */
static void go_on_restarting(void) {
    int gone = box.restarting == 2 && kill(-box.pid, 0) < 0 && errno == ESRCH;
    int64_t now = now_ms();
    if (!gone && now >= box.kill_at)
        kill(-box.pid, SIGKILL);
    if (!gone && (box.restarting == 1 || now < box.kill_at + 5000))
        return;
    box.saved = now;
    start_program();
}

static void committed(int flags) {
    int first = flags & COMPLETE && !box.synced;
    if (box.ending)
        return;
    if (first)
        box.synced = 1;
    if (first && box.state == RUNS)
        restart(DEFAULT_GRACE_MS); /* it runs the image's code */
    else if (first)
        start_program();
    else if (flags & CHANGED && box.state == CRASHED)
        box.retry_at = now_ms() + 200; /* most saves are followed by a RESTART, which is then the only start */
    if (!first && box.starts && flags & CHANGED)
        box.saved = now_ms();
}

static void asked(int client, const struct ask *ask) {
    if (ask->what == 'C') {
        committed(ask->flags);
    } else if (box.ending) {
        answer(client, ESHUTDOWN, "the container ends");
    } else if (ask->what == 'R' && box.state == WAITS) {
        answer(client, 0, "");
    } else if (ask->what == 'R') {
        box.clients[client].waits = 1;
        restart(ask->value);
    } else if (box.state != RUNS || box.restarting) {
        answer(client, ESRCH, "the program does not run");
    } else {
        int error = ask->value < 1 || ask->value > 64 || kill(box.pid, ask->value) < 0 ? EINVAL : 0;
        answer(client, error, error ? strerror(error) : "");
    }
}

static void accept_client(void) {
    int fd = accept4(box.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), i = 0;
    struct told told = state_of_program();
    while (i < CLIENTS && box.clients[i].fd >= 0)
        i++;
    if (fd < 0)
        return;
    if (i == CLIENTS) {
        close(fd);
        return;
    }
    box.clients[i].fd = fd;
    box.clients[i].waits = 0;
    tell(i, &told);
}

static void hear_client(int i) {
    struct ask ask;
    ssize_t n;
    while (box.clients[i].fd >= 0 && (n = recv(box.clients[i].fd, &ask, sizeof ask, 0)) != -1)
        if (n == sizeof ask) {
            asked(i, &ask);
        } else {
            close(box.clients[i].fd);
            box.clients[i].fd = -1;
            box.clients[i].waits = 0;
        }
}

/* A signal from outside: the program's, where it runs. */
static void pass_on(int number) {
    int ends = number == SIGTERM || number == SIGINT || number == SIGQUIT;
    came[number] = 0;
    if (ends)
        box.ending = number;
    if (box.restarting == 2 || box.state != RUNS) {
        if (ends)
            finish(128 + number);
        return;
    }
    kill(box.pid, number);
}

static int64_t next_alarm(void) {
    int64_t at[] = {box.gate_at, box.retry_at}, soonest = -1;
    if (box.restarting)
        soonest = now_ms() + 20;
    for (int i = 0; i < 2; i++)
        if (at[i] >= 0 && (soonest < 0 || at[i] < soonest))
            soonest = at[i];
    int64_t left = soonest - now_ms();
    return soonest < 0 ? -1 : left < 0 ? 0 : left;
}

static void alarms(void) {
    int64_t now = now_ms();
    if (box.restarting && !box.ending)
        go_on_restarting();
    if (box.gate_at >= 0 && now >= box.gate_at && box.state == WAITS) {
        say("no session came in time: the image's own code runs, until one comes", NULL);
        start_program();
    }
    if (box.retry_at >= 0 && now >= box.retry_at && box.state == CRASHED)
        start_program();
}

static void supervise(void) {
    for (;;) {
        struct pollfd p[CLIENTS + 1];
        for (int i = 0; i < CLIENTS; i++)
            p[i] = (struct pollfd){box.clients[i].fd, POLLIN, 0};
        p[CLIENTS] = (struct pollfd){box.listener, POLLIN, 0};
        int ready = wait_for(p, CLIENTS + 1, next_alarm());
        if (came[SIGCHLD])
            reap_all();
        for (int s = 1; s < 65; s++)
            if (came[s] && s != SIGCHLD)
                pass_on(s);
        for (int i = 0; ready > 0 && i < CLIENTS; i++)
            if (p[i].revents)
                hear_client(i);
        if (ready > 0 && p[CLIENTS].revents)
            accept_client();
        alarms();
    }
}

static void take_signals(void) {
    block_signals();
    for (int s = 1; s < 65; s++)
        switch (s) {
        case SIGPIPE:
        case SIGTTIN:
        case SIGTTOU:
        case SIGTSTP:
            on_signal(s, SIG_IGN);
            break;
        case SIGSEGV:
        case SIGBUS:
        case SIGFPE:
        case SIGILL:
        case SIGTRAP:
        case SIGSYS:
        case SIGABRT:
        case SIGURG:
            break;
        default:
            on_signal(s, on_any);
        }
}

/* The container's layer is new, and with it what was synced into it. */
static void forget_pod(void) {
    DIR *d = fdopendir(openat(state_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (!strcmp(entry->d_name, "last") || !strncmp(entry->d_name, "record-", 7))
            unlinkat(state_fd, entry->d_name, 0);
    if (d)
        closedir(d);
}

static int main_init(char **argv, long gate, int fresh) {
    uint32_t batch;
    box.argv = argv;
    box.unit = environment_ms("DEVENV_AGENT_UNIT_MS", 1000);
    old_umask = umask(022);
    umask(old_umask);
    for (int i = 0; i < CLIENTS; i++)
        box.clients[i].fd = -1;
    if (getpid() != 1)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    take_signals();
    int error = open_state();
    if (!error && (box.listener = listen_at("control")) < 0)
        error = errno;
    if (error)
        say("no session can reach this container, its state folder can't be used", strerror(error));
    if (!error && fresh)
        forget_pod();
    box.synced = !error && last_batch(&batch);
    if (box.synced || error || gate == 0)
        start_program();
    else
        box.gate_at = now_ms() + gate * box.unit;
    supervise();
    return 0;
}

/* ---- ready ---- */

static int main_ready(void) {
    static const char *words[] = {"waits", "runs", "crashed ", "ended "};
    char line[80];
    struct told told;
    state_fd = open(state_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = connect_to("control");
    struct pollfd p = {fd, POLLIN, 0};
    if (fd < 0 || poll(&p, 1, 2000) < 1 || recv(fd, &told, sizeof told, 0) != sizeof told || told.state > ENDED)
        die(1, "the agent that starts the program does not answer", NULL);
    size_t n = join(line, sizeof line, words[told.state], told.state == RUNS && !told.synced ? " unsynced" : "",
                    told.state >= CRASHED ? digits(told.code) : "", told.state == CRASHED ? " " : "",
                    told.state == CRASHED ? digits(told.starts) : "", "\n", NULL);
    write_all(1, line, n);
    return told.state != RUNS;
}

/* ---- seed: fills volumes from the image ---- */

static struct {
    uint64_t files, bytes, skipped;
    dev_t device;
    ino_t to;
    dev_t to_device;
} seed;

static void skip(const char *path, const char *name, int error) {
    char text[800];
    if (seed.skipped++ >= 20)
        return;
    join(text, sizeof text, "left out ", path, "/", name, NULL);
    say(text, strerror(error));
}

static void no_seed(const char *path, const char *name) {
    char text[800];
    int error = errno;
    join(text, sizeof text, "can't fill the volume: ", path, "/", name, NULL);
    die(1, text, strerror(error));
}

static void own(int at, const char *name, const struct stat *s) {
    if (geteuid() == 0 && fchownat(at, name, s->st_uid, s->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* without the capability it stays ours */
}

static int copy_fast(int from, int to, uint64_t *size) {
    ssize_t n;
    while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
        *size += n;
    if (n < 0 && !*size && (errno == EINVAL || errno == ENOSYS))
        return copy_content(from, to);
    return n < 0 ? errno : 0;
}

static void seed_file(int from, int to, const char *name, const char *shown) {
    struct stat s;
    uint64_t size = 0;
    int in_fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in_fd < 0 || fstat(in_fd, &s) < 0) {
        skip(shown, name, errno);
        return;
    }
    unlinkat(to, name, 0);
    int out_fd = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out_fd < 0)
        no_seed(shown, name);
    int error = copy_fast(in_fd, out_fd, &size);
    struct timespec times[2] = {s.st_atim, s.st_mtim};
    if (error == EIO || error == EISDIR) {
        skip(shown, name, error);
        unlinkat(to, name, 0);
        close(in_fd);
        close(out_fd);
        return;
    } else if ((errno = error)) {
        no_seed(shown, name);
    }
    own(to, name, &s);
    if (fchmod(out_fd, s.st_mode & 07777) < 0 || futimens(out_fd, times) < 0)
        no_seed(shown, name);
    close(in_fd);
    if (close(out_fd) < 0)
        no_seed(shown, name);
    seed.files++;
    seed.bytes += s.st_size;
}

static void seed_link(int from, int to, const char *name, const char *shown, const struct stat *s) {
    char text[PATH_MAX];
    struct timespec times[2] = {s->st_atim, s->st_mtim};
    ssize_t n = readlinkat(from, name, text, sizeof text - 1);
    if (n < 0) {
        skip(shown, name, errno);
        return;
    }
    text[n] = 0;
    unlinkat(to, name, 0);
    if (symlinkat(text, to, name) < 0)
        no_seed(shown, name);
    own(to, name, s);
    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
    seed.files++;
}

static void seed_folder(int from, int to, const char *shown);

static void seed_below(int from, int to, const char *name, const char *shown, const struct stat *s) {
    char path[strlen(shown) + strlen(name) + 2];
    struct timespec times[2] = {s->st_atim, s->st_mtim};
    join(path, sizeof path, shown, "/", name, NULL);
    if (s->st_dev != seed.device || (s->st_ino == seed.to && s->st_dev == seed.to_device))
        return; /* a mount is not the image's */
    int from_fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from_fd < 0) {
        skip(shown, name, errno);
        return;
    }
    if (mkdirat(to, name, 0700) < 0 && errno != EEXIST)
        no_seed(shown, name);
    int to_fd = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to_fd < 0 || fchmod(to_fd, 0700) < 0)
        no_seed(shown, name);
    seed_folder(from_fd, to_fd, path);
    own(to, name, s);
    if (fchmod(to_fd, s->st_mode & 07777) < 0 || futimens(to_fd, times) < 0)
        no_seed(shown, name);
    close(to_fd);
}

/* Copies what is in a folder, and closes it. */
static void seed_folder(int from, int to, const char *shown) {
    DIR *d = fdopendir(from);
    struct dirent *entry;
    struct stat s;
    if (!d)
        no_seed(shown, ".");
    while ((entry = readdir(d))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
            skip(shown, name, errno);
        else if (S_ISDIR(s.st_mode))
            seed_below(from, to, name, shown, &s);
        else if (S_ISREG(s.st_mode))
            seed_file(from, to, name, shown);
        else if (S_ISLNK(s.st_mode))
            seed_link(from, to, name, shown, &s);
    }
    closedir(d);
}

static int is_empty(int fd) {
    DIR *d = fdopendir(dup(fd));
    struct dirent *entry;
    int n = 0;
    while (d && (entry = readdir(d)))
        n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && strcmp(entry->d_name, "lost+found");
    if (d) {
        rewinddir(d);
        closedir(d);
    }
    return !n;
}

/* The file that tells that a folder was filled: after that it belongs to sync, and is never filled again. */
static void marker(const char *from, char name[32]) {
    char hash[17];
    short_hash(from, hash);
    join(name, 32, "seeded-", hash, NULL);
}

static void seed_one(const char *from, const char *to) {
    char mark[32];
    struct stat s;
    marker(from, mark);
    if (state_fd >= 0 && !faccessat(state_fd, mark, F_OK, 0))
        return;
    int error = make_folders(to);
    int to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to_fd < 0 || fstat(to_fd, &s) < 0) {
        errno = error ? error : errno;
        no_seed(to, ".");
    }
    if (state_fd < 0 && !is_empty(to_fd))
        return;
    seed.to = s.st_ino;
    seed.to_device = s.st_dev;
    int from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from_fd >= 0 && !fstat(from_fd, &s)) {
        seed.device = s.st_dev;
        seed_folder(from_fd, to_fd, from);
    } else if (errno != ENOENT) {
        skip(from, "", errno);
    }
    close(to_fd);
    int fd = state_fd < 0 ? -1 : openat(state_fd, mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
}

static int main_seed(int count, char **pairs) {
    char text[200];
    int64_t began = now_ms();
    umask(0);
    state_fd = open(state_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state_fd >= 0 && faccessat(state_fd, ".", W_OK, 0) < 0) {
        close(state_fd);
        state_fd = -1;
    }
    for (int i = 0; i + 1 < count; i += 2)
        seed_one(pairs[i], pairs[i + 1]);
    int64_t took = now_ms() - began;
    size_t n = join(text, sizeof text, "devenv: seeded ", digits(seed.files), " files, ", digits(seed.bytes), " bytes in ",
                    NULL);
    n += join(text + n, sizeof text - n, digits(took / 1000), ".", digits(took % 1000 / 100), digits(took % 100 / 10), " s",
              NULL);
    if (seed.skipped)
        n += join(text + n, sizeof text - n, " (", digits(seed.skipped), " left out)", NULL);
    text[n++] = '\n';
    return write_all(1, text, n) ? 1 : 0;
}

/* ---- main ---- */

static int usage(void) {
    static const char text[] = "usage: agent init [--state DIR] [--gate SECONDS] [--fresh] -- PROGRAM…\n"
                               "       agent serve [--state DIR]\n"
                               "       agent seed [--state DIR] FROM TO …\n"
                               "       agent ready [--state DIR]\n"
                               "       agent run -- COMMAND…\n"
                               "       agent version\n";
    write_all(2, text, sizeof text - 1);
    return 2;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    long gate = 30;
    int at = 2, fresh = 0;
    for (; at < argc && !strncmp(argv[at], "--", 2) && argv[at][2]; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : "";
        if (!strcmp(argv[at], "--fresh"))
            fresh = 1;
        else if (!strcmp(argv[at], "--state") && *value && ++at)
            state_name = value;
        else if (!strcmp(argv[at], "--gate") && *value && ++at)
            gate = atol(value);
        else
            return usage();
    }
    int dashes = at < argc && !strcmp(argv[at], "--");
    char **rest = argv + at + dashes;
    int count = argc - at - dashes;
    if (!strcmp(verb, "serve") && !count) {
        prepare_stream();
        serve();
    }
    if (!strcmp(verb, "init") && count > 0)
        return main_init(rest, gate, fresh);
    if (!strcmp(verb, "seed") && count > 0 && count % 2 == 0)
        return main_seed(count, rest);
    if (!strcmp(verb, "ready") && !count)
        return main_ready();
    if (!strcmp(verb, "run") && count > 0)
        return main_run(rest);
    if (!strcmp(verb, "version") && !count)
        return write_all(1, "1\n", 2);
    return usage();
}
