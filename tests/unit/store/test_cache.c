#include "fixture.h"

static bool get(struct fixture *f, const char *key, char ret[16], size_t *ret_len)
{
    bool found = false;
    CHECK(cache_get(f->store, "build", key, ret, 16, ret_len, &found, &f->err) == 0);
    return found;
}

static void a_value_is_found_by_space_and_key(void)
{
    struct fixture f;
    fixture_init(&f);
    char value[16];
    size_t len = 0;
    CHECK(cache_put(f.store, "build", "k", "a\0b", 3, &f.err) == 0);
    CHECK(cache_put(f.store, "file-hash", "k", "other", 5, &f.err) == 0);
    CHECK(get(&f, "k", value, &len) && len == 3 && memcmp(value, "a\0b", 3) == 0);
    CHECK(cache_put(f.store, "build", "k", "", 0, &f.err) == 0);
    CHECK(get(&f, "k", value, &len) && len == 0);
    CHECK(!get(&f, "absent", value, &len));
    fixture_release(&f);
}

static void a_value_too_long_for_its_reader_counts_as_lost(void)
{
    struct fixture f;
    fixture_init(&f);
    char value[16] = "untouched";
    size_t len = 99;
    CHECK(cache_put(f.store, "build", "k", "seventeen letters", 17, &f.err) == 0);
    CHECK(!get(&f, "k", value, &len));
    CHECK(len == 99 && strcmp(value, "untouched") == 0);
    fixture_release(&f);
}

static void what_was_not_used_since_is_dropped_and_what_was_used_stays(void)
{
    struct fixture f;
    fixture_init(&f);
    char value[16];
    size_t len;
    const int64_t day = INT64_C(24) * 3600 * 1000;
    cache_put(f.store, "build", "idle", "1", 1, &f.err);
    cache_put(f.store, "build", "used", "1", 1, &f.err);
    cache_put(f.store, "file-hash", "idle", "1", 1, &f.err);
    clock_fake_step(&f.time, 2 * day);
    CHECK(get(&f, "used", value, &len));

    /* The use is remembered over a restart. */
    store_close(f.store);
    CHECK(fixture_open(&f) == 0);
    CHECK(cache_drop_older(f.store, "build", f.time.wall_ms - day, &f.err) == 0);
    CHECK(get(&f, "used", value, &len));
    CHECK(!get(&f, "idle", value, &len));
    bool found = false;
    CHECK(cache_get(f.store, "file-hash", "idle", value, 16, &len, &found, &f.err) == 0 && found);
    fixture_release(&f);
}

int main(void)
{
    a_value_is_found_by_space_and_key();
    a_value_too_long_for_its_reader_counts_as_lost();
    what_was_not_used_since_is_dropped_and_what_was_used_stays();
    return DONE();
}
