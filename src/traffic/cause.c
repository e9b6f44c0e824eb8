#include "traffic/cause.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {[CAUSE_OUTAGE] = "outage",
                                         [CAUSE_FAILOVER] = "failover",
                                         [CAUSE_DRILL] = "drill",
                                         [CAUSE_BLIND] = "blind"};

const char *cause_kind_name(enum cause_kind k)
{
    return kind_names[k];
}

bool cause_kind_read(const char *name, enum cause_kind *ret)
{
    for (int k = CAUSE_OUTAGE; k <= CAUSE_BLIND; k++)
        if (strcmp(kind_names[k], name) == 0) {
            *ret = (enum cause_kind)k;
            return true;
        }
    return false;
}

/* --- Which one ----------------------------------------------------------------------------------
 */

enum tie { TIE_NONE, TIE_ONE, TIE_BOTH, TIE_SERVICE, TIE_CHECK };

static bool same(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0;
}

static bool same_service(const struct cause_sign *a, const struct cause_sign *b)
{
    return same(a->environment, b->environment) && same(a->app, b->app) &&
           strcmp(a->instance, b->instance) == 0;
}

static enum tie tie_of_two(const struct cause_sign *in, const struct cause_sign *sign)
{
    /* Traffic leaves an environment because of what fails there, whenever that began. */
    if (sign->kind == CAUSE_FAILOVER)
        return same(in->environment, sign->environment) ? TIE_SERVICE : TIE_NONE;
    if (sign->kind != CAUSE_OUTAGE || in->kind != CAUSE_OUTAGE)
        return TIE_NONE;
    if (in->series == sign->series)
        return TIE_CHECK;
    return same_service(in, sign) ? TIE_SERVICE : TIE_NONE;
}

/* How close the sign is to the closest that is in the case. */
static enum tie tie_of_signs(const struct cause_case *c, const struct cause_sign *sign)
{
    enum tie best = TIE_NONE;

    for (size_t i = 0; i < c->n_signs; i++) {
        enum tie tie = tie_of_two(c->signs[i], sign);
        if (tie > best)
            best = tie;
    }
    return best;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static enum tie tie_of_scope(const struct cause_case *c, const struct cause_sign *sign)
{
    int64_t late = sign->late_ms < CAUSE_LATE_MAX_MS ? sign->late_ms : CAUSE_LATE_MAX_MS;

    if (distance(sign->from_ms, c->newest_ms) > CAUSE_JOIN_MS + late)
        return TIE_NONE;
    bool platform = same(c->platform, sign->platform);
    bool environment = same(c->environment, sign->environment);
    return platform && environment ? TIE_BOTH : platform || environment ? TIE_ONE : TIE_NONE;
}

static enum tie tie_of(const struct cause_case *c, const struct cause_sign *sign, int64_t now_ms)
{
    if (c->until_ms != 0 && distance(now_ms, c->until_ms) > CAUSE_RETURN_MS)
        return TIE_NONE;
    if (c->kind == CAUSE_BLIND || sign->kind == CAUSE_BLIND)
        return c->kind == sign->kind ? TIE_CHECK : TIE_NONE;
    if (c->kind == CAUSE_DRILL || sign->kind == CAUSE_DRILL)
        return TIE_NONE;
    enum tie tie = tie_of_signs(c, sign);
    return tie != TIE_NONE ? tie : tie_of_scope(c, sign);
}

size_t cause_find(const struct cause_case *cases, size_t n, const struct cause_sign *sign,
                  int64_t now_ms)
{
    size_t found = SIZE_MAX;
    enum tie best = TIE_NONE;

    for (size_t i = 0; i < n; i++) {
        enum tie tie = tie_of(&cases[i], sign, now_ms);
        if (tie > best ||
            (tie != TIE_NONE && tie == best && cases[i].from_ms > cases[found].from_ms)) {
            found = i;
            best = tie;
        }
    }
    return found;
}

void cause_narrow(struct cause_case *c, const struct cause_sign *sign)
{
    if (strcmp(c->platform, sign->platform) != 0)
        c->platform = "";
    if (strcmp(c->environment, sign->environment) != 0)
        c->environment = "";
    if (strcmp(c->app, sign->app) != 0)
        c->app = "";
}

bool cause_over(const struct cause_case *c, int64_t *ret_until_ms)
{
    int64_t until = c->from_ms;

    for (size_t i = 0; i < c->n_signs; i++) {
        if (c->signs[i]->until_ms == 0)
            return false;
        if (c->signs[i]->until_ms > until)
            until = c->signs[i]->until_ms;
    }
    *ret_until_ms = until;
    return true;
}

/* --- What it is called --------------------------------------------------------------------------
 */

static size_t count_outages(const struct cause_case *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_signs; i++)
        n += c->signs[i]->kind == CAUSE_OUTAGE;
    return n;
}

static bool equal_apps(const struct cause_sign *a, const struct cause_sign *b)
{
    return strcmp(a->app, b->app) == 0;
}

static bool equal_environments(const struct cause_sign *a, const struct cause_sign *b)
{
    return strcmp(a->environment, b->environment) == 0;
}

/* How many different ones there are among the outages. */
static size_t count_different(const struct cause_case *c,
                              bool equal(const struct cause_sign *, const struct cause_sign *))
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_signs; i++) {
        bool seen = c->signs[i]->kind != CAUSE_OUTAGE;
        for (size_t k = 0; k < i && !seen; k++)
            seen = c->signs[k]->kind == CAUSE_OUTAGE && equal(c->signs[i], c->signs[k]);
        n += !seen;
    }
    return n;
}

static const struct cause_sign *first_of(const struct cause_case *c, enum cause_kind kind)
{
    for (size_t i = 0; i < c->n_signs; i++)
        if (c->signs[i]->kind == kind)
            return c->signs[i];
    return c->signs[0];
}

static void title_of_outages(const struct cause_case *c, size_t n, char *ret, size_t size)
{
    size_t apps = count_different(c, equal_apps);
    size_t environments = count_different(c, equal_environments);
    const struct cause_sign *one = first_of(c, CAUSE_OUTAGE);
    char of[160] = "", in[96];

    if (n == 1) {
        (void)snprintf(ret, size, "%.60s%s%.60s %.60s fails in %.60s", one->app,
                       one->instance[0] ? "/" : "", one->instance, one->check, one->environment);
        return;
    }
    if (apps > 1)
        (void)snprintf(of, sizeof(of), "%zu apps", apps);
    else
        (void)snprintf(of, sizeof(of), "%.60s", one->app);
    if (environments > 1)
        (void)snprintf(in, sizeof(in), "%zu environments", environments);
    else
        (void)snprintf(in, sizeof(in), "%.60s", one->environment);
    (void)snprintf(ret, size, "%.60s%s%zu checks of %s fail in %s", c->platform,
                   c->platform[0] ? ": " : "", n, of, in);
}

void cause_title(const struct cause_case *c, char *ret, size_t size)
{
    size_t n = count_outages(c);
    const struct cause_sign *first;

    if (size > 0)
        ret[0] = '\0';
    if (c->n_signs == 0)
        return;
    if (n > 0) {
        title_of_outages(c, n, ret, size);
        return;
    }
    first = first_of(c, c->kind);
    switch (c->kind) {
    case CAUSE_FAILOVER:
        (void)snprintf(ret, size, "%.60s: traffic leaves %.60s, %.120s", first->check,
                       first->environment, first->reason);
        break;
    case CAUSE_DRILL:
        (void)snprintf(ret, size, "drill of %.60s in %.60s: %.160s", first->check,
                       first->environment, first->reason);
        break;
    case CAUSE_BLIND:
        (void)snprintf(ret, size, "this prober is blind: %.160s", first->reason);
        break;
    case CAUSE_OUTAGE:
        break;
    }
}
