#include "drive.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 20, ASK_AGAIN_US = 20000, ASKS_MOST = 1500 };

static void give_up(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

/* Starts it with its standard output in a pipe; returns the pipe's reading end. */
static int spawn(struct drive *d, const char *program, char *rate)
{
    char listen[] = "--listen", address[] = "127.0.0.1:0", state[] = "--state";
    char clock[] = "--clock-rate", *name = mem_strdup(program);
    char *argv[] = {name, listen, address, state, d->dir, clock, rate, NULL};
    posix_spawn_file_actions_t actions;
    int out[2];
    if (pipe(out) != 0)
        give_up("no pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    if (posix_spawn(&d->pid, program, &actions, NULL, argv, environ) != 0)
        give_up("trine-sim did not start");
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    free(name);
    return out[0];
}

static void run(struct drive *d, const char *program, unsigned clock_rate)
{
    char rate[16], line[4096];
    (void)snprintf(rate, sizeof rate, "%u", clock_rate);
    FILE *f = fdopen(spawn(d, program, rate), "r");
    if (!f || !fgets(line, sizeof line, f))
        give_up("trine-sim printed no ready line");
    (void)fclose(f);
    d->ready = json_loads(line, 0, NULL);
}

static void end(struct drive *d)
{
    int status = 0;
    kill(d->pid, SIGTERM);
    while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    json_decref(d->ready);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("trine-sim did not end in order; its standard error says why");
}

void drive_start(struct drive *d, const char *program, unsigned clock_rate)
{
    (void)snprintf(d->dir, sizeof d->dir, "/tmp/trine-drive.XXXXXX");
    if (!program || !mkdtemp(d->dir))
        give_up("the first argument must be the path of trine-sim");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    run(d, program, clock_rate);
}

void drive_restart(struct drive *d, const char *program, unsigned clock_rate)
{
    end(d);
    run(d, program, clock_rate);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void drive_stop(struct drive *d)
{
    end(d);
    (void)nftw(d->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    curl_global_cleanup();
}

const char *drive_base(const struct drive *d, const char *name)
{
    const char *url = json_string_value(json_object_get(d->ready, name));
    return url ? url : json_str(json_object_get(d->ready, "bases"), name, "");
}

static size_t body_piece(char *data, size_t size, size_t n, void *arg)
{
    buf_add(arg, data, size * n);
    return size * n;
}

static size_t header_piece(char *data, size_t size, size_t n, void *arg)
{
    struct drive_reply *r = arg;
    size_t used = strlen(r->headers), len = size * n;
    if (used + len < sizeof r->headers) {
        memcpy(r->headers + used, data, len);
        r->headers[used + len] = '\0';
    }
    return len;
}

static struct curl_slist *header_list(const char *lines)
{
    struct curl_slist *list = NULL;
    char *copy = mem_strdup(lines ? lines : ""), *rest = copy, *line;
    if (!strstr(copy, "Content-Type:"))
        list = curl_slist_append(list, "Content-Type: application/json");
    while ((line = strsep(&rest, "\n")))
        if (*line)
            list = curl_slist_append(list, line);
    free(copy);
    return list;
}

struct drive_reply drive_call(const char *method, const char *base, const char *path,
                              const char *header, const char *body)
{
    struct drive_reply r = {0};
    struct buf bytes = BUF_INIT(REPLY_MAX);
    struct curl_slist *headers = header_list(header);
    CURL *curl = curl_easy_init();
    char *url = mem_printf("%s%s", base, path);
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_piece);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_piece);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &r);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    r.broken = curl_easy_perform(curl) != CURLE_OK;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    r.status = (int)status;
    r.text = mem_strdup(buf_str(&bytes));
    r.json = json_loads(r.text, JSON_DECODE_ANY, NULL);
    buf_release(&bytes);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(url);
    return r;
}

void drive_reply_release(struct drive_reply *r)
{
    json_decref(r->json);
    free(r->text);
}

json_t *drive_json(int status, const char *method, const char *base, const char *path,
                   const char *header, const char *body)
{
    struct drive_reply r = drive_call(method, base, path, header, body);
    json_t *json = NULL;
    if (r.status == status)
        json = json_incref(r.json);
    else
        printf("# %s %s: %d %.300s\n", method, path, r.status, r.text);
    drive_reply_release(&r);
    return json;
}

int drive_status(const char *method, const char *base, const char *path, const char *header,
                 const char *body)
{
    struct drive_reply r = drive_call(method, base, path, header, body);
    int status = r.status;
    drive_reply_release(&r);
    return status;
}

bool drive_wait(const char *base, const char *path, const char *header, const char *json_path,
                const char *value)
{
    for (int i = 0; i < ASKS_MOST; i++) {
        json_t *json = drive_json(200, "GET", base, path, header, NULL);
        bool there = strcmp(json_str(json, json_path, ""), value) == 0;
        json_decref(json);
        if (there)
            return true;
        usleep(ASK_AGAIN_US);
    }
    return false;
}
