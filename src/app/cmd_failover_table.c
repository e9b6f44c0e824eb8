#include "app/app.h"

#include "base/buf.h"
#include "traffic/failover.h"

int cmd_failover_table(struct app *a, struct err *e)
{
    struct buf b = BUF_INIT(1 << 20);

    failover_graph(&b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}
