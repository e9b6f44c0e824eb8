#include "app/targets_inner.h"

#include "app/app.h"
#include "base/redact.h"
#include "manifest/platform.h"
#include "manifest/secrets.h"
#include "net/bases.h"

#include <string.h>

/* Targets that an environment has once: its database and its cache. */

bool check_is_of_store(enum check_kind kind)
{
    return kind == CHECK_POSTGRES || kind == CHECK_REDIS || kind == CHECK_UPSTASH;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Why this check cannot use that address, NULL when it can. Never quotes it: it may be a secret. */
static const char *misfit(enum check_kind kind, const char *url)
{
    bool web = begins(url, "https://") || begins(url, "http://");
    bool redis = begins(url, "redis://") || begins(url, "rediss://");

    if (kind == CHECK_POSTGRES)
        return begins(url, "postgres://") || begins(url, "postgresql://") ? NULL
               : web ? "is a web address, not that of the database; give it as "
                       "postgres://user:password@host/name"
                     : "is not an address such as postgres://user:password@host/name";
    if (kind == CHECK_REDIS)
        return redis ? NULL
               : web ? "is a web address; use a check of kind upstash for it"
                     : "is not an address such as rediss://user:password@host:6379";
    return web     ? NULL
           : redis ? "is Redis's own protocol; use a check of kind redis for it"
                   : "is not an https:// address";
}

/* The password inside an address is a secret by itself: a server or library may repeat it alone. */
static void hide_password(struct finding *f, const char *name, const char *url)
{
    const char *user = strstr(url, "://");
    size_t authority = user ? strcspn(user + 3, "/?#") : 0;
    const char *at = user ? memrchr(user + 3, '@', authority) : NULL;
    const char *colon = at ? memchr(user + 3, ':', (size_t)(at - user - 3)) : NULL;

    if (!colon || at - colon <= 4) /* shorter ones cannot be kept out of texts; base/redact.h */
        return;
    char *password = arena_strndup(&f->targets->arena, colon + 1, (size_t)(at - colon - 1));
    redactor_add(f->app->redactor, name, password);
    explicit_bzero(password, strlen(password));
}

/* False: left out, because a name has no value. */
static bool expand(struct finding *f, const struct target *t, const char *text, const char *key,
                   const char **ret)
{
    struct arena *a = &f->targets->arena;
    struct err missing = ERR_INIT;
    const char *where = arena_printf(a, "environments.%s.%s.%s", t->environment, t->app, key);

    if (secrets_expand(f->app->secrets, text, where, a, ret, &missing) == 0)
        return true;
    leave_out(f, t, "%s", missing.text);
    return false;
}

static bool store_address(struct finding *f, const struct manifest_binding *b, struct target *t)
{
    const char *why;

    if (!*b->platform) {
        leave_out(f, t, "the environment has no %s", t->app);
        return false;
    }
    if (!*b->url) {
        leave_out(f, t, "its address is not known; give environments.%s.%s.url, as $NAME",
                  t->environment, t->app);
        return false;
    }
    if (!expand(f, t, b->url, "url", &t->url))
        return false;
    if (t->kind == CHECK_UPSTASH) /* where a rehearsal has it */
        t->url = arena_strdup(&f->targets->arena, bases_get(f->app->bases, b->platform, t->url));
    why = misfit(t->kind, t->url);
    if (why) {
        leave_out(f, t, "environments.%s.%s.url %s", t->environment, t->app, why);
        return false;
    }
    hide_password(f, t->app, t->url);
    if (t->kind != CHECK_UPSTASH)
        return true;
    if (!*b->token) {
        leave_out(f, t, "environments.%s.%s.token is not given", t->environment, t->app);
        return false;
    }
    return expand(f, t, b->token, "token", &t->token);
}

int add_store(struct finding *f, const struct cell *c, const struct manifest_check *k,
              struct err *e)
{
    bool database = k->kind == CHECK_POSTGRES;
    const struct manifest_binding *b = database ? &c->env->database : &c->env->cache;
    const struct platform *platform = platform_find(b->platform);
    struct target t = target_begin(f, k, c);

    t.app = database ? "database" : "cache";
    t.instance = "";
    t.extensions = b->extensions;
    t.n_extensions = b->n_extensions;
    t.major_version = b->version;
    t.pubsub |= k->kind == CHECK_REDIS && (b->needs & (1u << NEED_PUBSUB)) != 0;
    if (!store_address(f, b, &t))
        return 0;
    if (database && platform && binding_is_free(b))
        target_sleeps(f, &t, platform->database_sleep_ms);
    else
        t.wake = WAKE_ALWAYS;
    return target_add(f, &t, e);
}

void targets_wipe(struct targets *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct target *target = &t->items[i];
        if (check_is_of_store(target->kind))
            explicit_bzero((char *)(uintptr_t)target->url, strlen(target->url)); /* ours */
        explicit_bzero((char *)(uintptr_t)target->token, strlen(target->token));
    }
    for (size_t i = 0; i < t->n_services; i++) {
        const char *token = t->services[i]->want.token;
        explicit_bzero((char *)(uintptr_t)token, strlen(token));
    }
}
