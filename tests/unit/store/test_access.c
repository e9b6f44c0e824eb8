#include "base/buf.h"
#include "fixture.h"
#include "store/access.h"

static void note(const struct access_token *t, void *arg)
{
    char *text = arg;
    size_t len = strlen(text);
    snprintf(text + len, 256 - len, "%s %s %lld;", t->name, access_scope_name(t->scope),
             (long long)(t->used_ms ? t->used_ms - t->created_ms : 0));
}

static void a_token_opens_its_scope_until_it_is_revoked(void)
{
    struct fixture f;
    char reader[80], operator_[80], text[256] = "";
    struct access_holder who = {.scope = ACCESS_OPERATE};
    fixture_init(&f);
    CHECK(access_create(f.store, "ci", ACCESS_READ, reader, &f.err) == 0);
    CHECK(access_create(f.store, "ops", ACCESS_OPERATE, operator_, &f.err) == 0);
    CHECK(strlen(reader) == 70 && strncmp(reader, "trine_", 6) == 0);
    CHECK(strcmp(reader, operator_) != 0);
    CHECK(access_check(f.store, reader, &who, &f.err) == 1 && who.scope == ACCESS_READ);
    clock_fake_step(&f.time, 90000);
    CHECK(access_check(f.store, operator_, &who, &f.err) == 1 && who.scope == ACCESS_OPERATE);
    CHECK(access_list(f.store, note, text, &f.err) == 0);
    CHECK(strcmp(text, "ci read -20000;ops operate 40000;") == 0);
    CHECK(access_revoke(f.store, "ops", &f.err) == 0);
    CHECK(access_check(f.store, operator_, &who, &f.err) == 0);
    CHECK(access_revoke(f.store, "ops", &f.err) == -1 && f.err.kind == ERR_NO);
    fixture_release(&f);
}

static void anything_else_is_no_token(void)
{
    struct fixture f;
    char token[80], wrong[256];
    struct access_holder who = {.scope = ACCESS_READ};
    int opened = 0;
    fixture_init(&f);
    CHECK(access_check(f.store, "", &who, &f.err) == 0);
    CHECK(access_create(f.store, "ci", ACCESS_READ, token, &f.err) == 0);
    for (size_t i = 0; i < strlen(token); i++) {
        snprintf(wrong, sizeof(wrong), "%s", token);
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        opened += access_check(f.store, wrong, &who, &f.err) != 0;
        wrong[i] = '\0';
        opened += access_check(f.store, wrong, &who, &f.err) != 0;
    }
    snprintf(wrong, sizeof(wrong), "%s0", token);
    opened += access_check(f.store, wrong, &who, &f.err) != 0;
    memset(wrong, 'x', sizeof(wrong) - 1);
    wrong[sizeof(wrong) - 1] = '\0';
    opened += access_check(f.store, wrong, &who, &f.err) != 0;
    CHECK(opened == 0);
    fixture_release(&f);
}

static void a_name_is_used_once_and_has_a_bound(void)
{
    struct fixture f;
    char token[80], name[80];
    fixture_init(&f);
    CHECK(access_create(f.store, "ci", ACCESS_READ, token, &f.err) == 0);
    CHECK(access_create(f.store, "ci", ACCESS_OPERATE, token, &f.err) == -1);
    CHECK(f.err.kind == ERR_NO && strstr(f.err.text, "ci") && !strstr(f.err.text, "trine_"));
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CHECK(access_create(f.store, name, ACCESS_READ, token, &f.err) == -1);
    CHECK(f.err.kind == ERR_USAGE);
    CHECK(access_create(f.store, "", ACCESS_READ, token, &f.err) == -1);
    fixture_release(&f);
}

static void the_file_does_not_hold_the_token(void)
{
    struct fixture f;
    char token[80];
    struct buf file = BUF_INIT(1 << 24);
    fixture_init(&f);
    CHECK(access_create(f.store, "ci", ACCESS_READ, token, &f.err) == 0);
    store_close(f.store); /* the log goes into the file */
    f.store = NULL;
    CHECK(buf_read_file(&file, f.path, &f.err) == 0);
    CHECK(!memmem(file.data, file.len, token + 6, 16));
    CHECK(memmem(file.data, file.len, "ci", 2));
    buf_release(&file);
    fixture_release(&f);
}

int main(void)
{
    a_token_opens_its_scope_until_it_is_revoked();
    anything_else_is_no_token();
    a_name_is_used_once_and_has_a_bound();
    the_file_does_not_hold_the_token();
    return DONE();
}
