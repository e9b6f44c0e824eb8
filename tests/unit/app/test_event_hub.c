#include "test.h"
int main(void)
{
    return DONE();
}
