#include "core.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * The state: one JSON object in memory, one file (state.json) on disk. It is written at most once a
 * second, in the thread pool, and once more at the end; a request never waits for the disk.
 */

char *state_path(const struct sim *s, const char *name)
{
    return mem_printf("%s/%s", s->dir, name);
}

json_t *sim_member(json_t *parent, const char *name)
{
    json_t *member = json_object_get(parent, name);

    if (!member) {
        member = json_object();
        json_object_set_new(parent, name, member);
    }
    return member;
}

json_t *sim_state(struct sim *s, const struct sim_platform *p)
{
    return sim_member(sim_member(s->state, "platforms"), p->name);
}

void sim_changed(struct sim *s)
{
    s->changed = true;
}

/* --- Time ------------------------------------------------------------------------------------ */

int64_t sim_now_ms(const struct sim *s)
{
    int64_t us = clock_mono_us(loop_clock(s->loop)) - s->start_us;

    return s->start_sim_ms + (int64_t)((double)us * s->rate / 1000.0);
}

int64_t sim_real_now_ms(const struct sim *s)
{
    return clock_wall_ms(loop_clock(s->loop));
}

int64_t sim_reset_epoch_ms(const struct sim *s, int64_t remaining_ms)
{
    return sim_real_now_ms(s) + (int64_t)((double)remaining_ms / s->rate);
}

void sim_iso(int64_t ms, char ret[32])
{
    char seconds[32];

    clock_format_utc(ms, seconds);
    seconds[19] = '\0'; /* without the Z */
    snprintf(ret, 32, "%.19s.%03dZ", seconds, (int)(ms % 1000));
}

/* --- Ids ------------------------------------------------------------------------------------- */

static void id_digest(struct sim *s, uint8_t ret[SHA256_LEN])
{
    int64_t counter = json_int(s->state, "counter", 0) + 1;
    char text[128];

    json_object_set_new(s->state, "counter", json_integer(counter));
    snprintf(text, sizeof(text), "%s %" PRId64, json_str(s->state, "seed", ""), counter);
    sha256(text, strlen(text), ret);
    sim_changed(s);
}

void sim_id(struct sim *s, const char *prefix, size_t hex_digits, char *ret, size_t size)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    id_digest(s, digest);
    hex_encode(digest, sizeof(digest), hex);
    if (hex_digits < sizeof(hex))
        hex[hex_digits] = '\0';
    snprintf(ret, size, "%s%s", prefix, hex);
}

void sim_uuid(struct sim *s, char ret[37])
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    id_digest(s, digest);
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x40); /* version 4 */
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80); /* RFC 4122 variant */
    hex_encode(digest, sizeof(digest), hex);
    snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void seed_make(char ret[33])
{
    uint8_t random[16] = {0};

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        random[0] = (uint8_t)getpid(); /* uniqueness within one state is the counter's work */
    hex_encode(random, sizeof(random), ret);
}

/* --- Reading and writing --------------------------------------------------------------------- */

int state_open(struct sim *s, struct err *e)
{
    struct buf text = BUF_INIT(1 << 30);
    char *path = NULL;
    char seed[33];
    int rc = -1;

    if (dir_make(s->dir, e) != 0)
        return -1;
    s->saves = true;
    path = state_path(s, "state.json");
    if (access(path, F_OK) != 0) {
        seed_make(seed);
        s->state = json_pack("{s:s, s:i}", "seed", seed, "counter", 0);
        rc = 0;
    } else if (buf_read_file(&text, path, e) == 0) {
        s->state = json_read(buf_str(&text), text.len, path, e);
        rc = json_is_object(s->state) ? 0 : -1;
        if (rc != 0)
            err_set(e, ERR_STORE, "%s: damaged; remove the state folder to begin anew", path);
    }
    buf_release(&text);
    free(path);
    return rc;
}

static char *state_text(struct sim *s)
{
    s->changed = false;
    json_object_set_new(s->state, "sim_ms", json_integer(sim_now_ms(s)));
    return json_text(s->state);
}

int state_save_now(struct sim *s, struct err *e)
{
    char *text, *path;
    int rc;

    if (!s->saves)
        return 0;
    text = state_text(s);
    path = state_path(s, "state.json");
    rc = file_write_atomic(path, text, strlen(text), 0600, e);
    free(path);
    free(text);
    return rc;
}

struct save {
    struct sim *sim;
    char *path, *text;
    struct err err;
};

static void save_work(void *arg)
{
    struct save *v = arg;

    file_write_atomic(v->path, v->text, strlen(v->text), 0600, &v->err);
}

static void save_done(void *arg)
{
    struct save *v = arg;

    v->sim->saving = false;
    if (v->err.kind != ERR_NONE) {
        fprintf(stderr, "trine-sim: %s\n", v->err.text);
        v->sim->changed = true; /* the next tick tries again */
    }
    free(v->path);
    free(v->text);
    free(v);
}

void state_save_soon(struct sim *s)
{
    struct save *v;

    if (!s->changed || s->saving || !s->saves)
        return;
    v = mem_alloc(sizeof(*v));
    v->sim = s;
    v->path = state_path(s, "state.json");
    v->text = state_text(s);
    s->saving = true;
    loop_work(s->loop, "saving the simulator's state", save_work, save_done, v);
}

void state_reset(struct sim *s)
{
    static const char *const kept[] = {"seed", "counter", "ports"};
    json_t *fresh = json_object();

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        json_object_set(fresh, kept[i], json_object_get(s->state, kept[i]));
    json_object_clear(s->state);
    json_object_update(s->state, fresh);
    json_decref(fresh);
    sim_changed(s);
}
