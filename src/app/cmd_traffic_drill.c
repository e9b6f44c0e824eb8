#include "app/app.h"

int cmd_traffic_drill(struct app *a, struct err *e)
{
    return err_set(e, ERR_NO, "trine traffic %s is not there yet", a->o.arguments[0]);
}
