#include "app/metrics_out.h"

#include "base/buf.h"

#include <math.h>

void metrics_family(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_begin(struct buf *b, const char *name)
{
    buf_adds(b, name);
}

/* The brace of the first label is opened here; metrics_value closes what is open. */
void metrics_label(struct buf *b, const char *name, const char *value)
{
    bool first = b->len == 0 || b->data[b->len - 1] != '"';

    buf_addf(b, "%s%s=\"", first ? "{" : ",", name);
    for (; *value; value++) {
        if (*value == '\n')
            buf_adds(b, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_addf(b, "\\%c", *value);
        else
            buf_addc(b, *value);
    }
    buf_addc(b, '"');
}

void metrics_value(struct buf *b, double v)
{
    if (b->len > 0 && b->data[b->len - 1] == '"')
        buf_addc(b, '}');
    if (isnan(v))
        buf_adds(b, " NaN\n");
    else if (isinf(v))
        buf_adds(b, v > 0 ? " +Inf\n" : " -Inf\n");
    else if (v == floor(v) && fabs(v) < 9e15)
        buf_addf(b, " %.0f\n", v);
    else
        buf_addf(b, " %.15g\n", v);
}
